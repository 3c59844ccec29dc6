/**
 * The registry of errors: every error that a user, an operator or a client program can meet has a code here, with what it means, whether
 * trying again can help, and how it shows on gRPC and HTTP. A code that was published is never reused for something else.
 */

/** Names of gRPC status codes that errors map to. */
export type GrpcStatusName =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "CANCELLED"
  | "DATA_LOSS"
  | "INTERNAL";

interface Registered {
  readonly grpc: GrpcStatusName;
  readonly http: number;
  /** True if the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** What happened. `{name}` stands for a fact of the error. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

const entry = (grpc: GrpcStatusName, http: number, retryable: boolean, message: string, advice: string): Registered => ({
  grpc,
  http,
  retryable,
  message,
  advice,
});

/** Every error code, alphabetically. `ARCHITECTURE.md` lists them; a test holds the two together. */
export const ERRORS = {
  ACTOR_DEADLOCK: entry(
    "INTERNAL",
    500,
    false,
    "Actors wait for each other's answers: {cycle}",
    "Report it with the node's log: one of them must pipe the answer instead of awaiting it.",
  ),
  ACTOR_QUARANTINED: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "{actor} is quarantined after repeated failures.",
    "Look at the failure, mend the cause, and release the actor.",
  ),
  ACTOR_RESTARTED: entry(
    "UNAVAILABLE",
    503,
    true,
    "{actor} was restarted before it answered.",
    "Send the request again, with the same idempotency key if it has one.",
  ),
  ACTOR_STOPPED: entry("UNAVAILABLE", 503, true, "{actor} has stopped.", "Send the request again; it is routed to where the actor lives now."),
  ASKS_FULL: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "{pending} requests await their answer inside the node, and no more are taken.",
    "Try again after the delay in the answer.",
  ),
  BUS_OVERLOADED: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "The message bus takes no more for now: {count} {what}.",
    "Try again after the delay in the answer.",
  ),
  BUS_UNAVAILABLE: entry(
    "UNAVAILABLE",
    503,
    true,
    "The message bus at {address} can't be used: {reason}",
    "Check that the NATS server runs and that MAESTRO_NATS_URL is right. The node connects by itself when it is back.",
  ),
  CLIENT_CLOSED: entry("CANCELLED", 499, false, "The client of {address} was closed.", "Connect anew; a client that was closed takes no more calls."),
  CONFIG_INVALID: entry("INVALID_ARGUMENT", 400, false, "The configuration is not valid: {problems}", "Correct the named settings and start again."),
  DATA_FOLDER_LOCKED: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "The data folder {folder} is in use by process {pid}.",
    "Stop that node, or start this one with another --data folder.",
  ),
  DATA_FOLDER_UNUSABLE: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "The data folder {folder} can't be used: {reason}.",
    "Name a folder that this user may write with --data or MAESTRO_DATA.",
  ),
  DATABASE_FAILING: entry(
    "UNAVAILABLE",
    503,
    true,
    "PostgreSQL at {address} can't serve requests now: {reason}",
    "Give the server what it lacks, such as disk space, memory or time; its log says more.",
  ),
  DATABASE_UNAVAILABLE: entry(
    "UNAVAILABLE",
    503,
    true,
    "PostgreSQL at {address} can't be reached: {reason}",
    "Check that the server runs and that MAESTRO_PG_URL is right.",
  ),
  DATABASE_UNSAFE: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "PostgreSQL runs with {setting}={value}, which can lose acknowledged runs.",
    "Set {setting} to its safe value ({safe}) and start again.",
  ),
  DOCUMENT_INVALID: entry(
    "INVALID_ARGUMENT",
    400,
    false,
    "The workflow document has {count} problem(s); the first: {first}",
    "Correct the places named in the field violations and deploy again.",
  ),
  FIELD_INVALID: entry("INVALID_ARGUMENT", 400, false, "{field} is not valid: {reason}", "Correct {field} and send the request again."),
  HANDLER_INVALID: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "The task handlers in {file} can't be loaded: {reason}",
    "Correct the file. Each handler is a default or named export made with defineTask.",
  ),
  IDEMPOTENCY_KEY_REUSED: entry(
    "ALREADY_EXISTS",
    409,
    false,
    "The idempotency key was used before, to start run {runId} of another workflow.",
    "Use a key of its own for each run that you want.",
  ),
  INTERNAL: entry("INTERNAL", 500, true, "Something went wrong inside the node: {reason}", "Try again; if it stays, report it with the node's log."),
  JOURNAL_CORRUPT: entry(
    "DATA_LOSS",
    500,
    false,
    "The history of run {runId} is damaged at entry {seq}: {reason}",
    "The run is quarantined. Restore it from a backup, or terminate it.",
  ),
  JOURNAL_FENCED: entry(
    "UNAVAILABLE",
    503,
    true,
    "This node may no longer write: another one took over ({detail}).",
    "Nothing was lost. The node stops by itself; send the request to the cluster again.",
  ),
  JOURNAL_OVERLOADED: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "The journal's queue is full ({queued} writes wait).",
    "Try again after the delay in the answer.",
  ),
  JOURNAL_REJECTED: entry(
    "INTERNAL",
    500,
    false,
    "PostgreSQL refused a write of run {runId}: {reason}",
    "The run is left as it was. Report it with the node's log.",
  ),
  MAILBOX_FULL: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "{actor} has {queued} messages waiting and takes no more.",
    "Try again after the delay in the answer.",
  ),
  MESSAGE_TOO_LARGE: entry(
    "INVALID_ARGUMENT",
    413,
    false,
    "{field} has {bytes} bytes; at most {limit} are taken.",
    "Send less, or put the data elsewhere and send a reference.",
  ),
  NODE_OVERLOADED: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "The node has {active} runs under way and takes no more for now.",
    "Try again after the delay in the answer.",
  ),
  NODE_STOPPING: entry(
    "UNAVAILABLE",
    503,
    true,
    "The node is stopping and takes no new work.",
    "Send the request again; another node, or this one after its start, takes it.",
  ),
  NODE_UNREACHABLE: entry(
    "UNAVAILABLE",
    503,
    true,
    "No node answers at {address}: {reason}",
    "Check the address and that the node runs; `maestro start` starts one.",
  ),
  NO_RESPONDER: entry("UNAVAILABLE", 503, true, "Nobody answers on {subject}.", "Try again: whoever answered there has stopped or is starting."),
  OWNED_ELSEWHERE: entry(
    "UNAVAILABLE",
    503,
    true,
    "Node {node} holds the runs of this database until {until}.",
    "Wait until its lease ends, or stop that node.",
  ),
  PAGE_TOKEN_INVALID: entry(
    "INVALID_ARGUMENT",
    400,
    false,
    "{field} is not a page token of this list: {reason}",
    "Take the token from the previous answer, with the same filter, or start without one.",
  ),
  PORT_IN_USE: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "Port {port} on {host} ({purpose}) is in use.",
    "Stop what uses it, or choose another port with {setting}.",
  ),
  REQUEST_CANCELLED: entry("CANCELLED", 499, false, "The caller gave up waiting.", "Nothing is to be done: what was started goes on."),
  RUN_ENDED: entry("FAILED_PRECONDITION", 409, false, "Run {runId} has ended ({status}).", "Start a new run."),
  RUN_NOT_FOUND: entry("NOT_FOUND", 404, false, "There is no run {runId}.", "Check the id; `maestro runs list` shows the runs that exist."),
  RUN_NOT_QUARANTINED: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "Run {runId} is not quarantined ({status}).",
    "Only a quarantined run can be released.",
  ),
  RUN_QUARANTINED: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "Run {runId} is quarantined: {reason}",
    "Look at its history, mend the cause, and release or terminate it.",
  ),
  SCHEMA_CHANGED: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "Migration {number} ({name}) was applied to the database with another text.",
    "Start the program that the database was made with, or restore a backup.",
  ),
  SCHEMA_TOO_NEW: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "The database has schema version {found}; this program knows {known}.",
    "Start a newer version of the program.",
  ),
  SHARD_MOVED: entry(
    "UNAVAILABLE",
    503,
    true,
    "This node does not own shard {shard} now.",
    "Nothing was stored. Send the request again: it goes to the shard's owner.",
  ),
  SHELL_DISABLED: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "{path} runs a shell command, which this node does not allow.",
    "Allow it with MAESTRO_ALLOW_SHELL=true where every author of workflows is trusted.",
  ),
  TASK_QUEUE_FULL: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "The task queue is full ({queued} tasks wait).",
    "Try again after the delay in the answer.",
  ),
  TIMED_OUT: entry(
    "DEADLINE_EXCEEDED",
    504,
    true,
    "{what} took longer than {timeoutMs} ms.",
    "What was acknowledged goes on. Ask again, with a longer deadline if need be.",
  ),
  WORKFLOW_IN_CONFLICT: entry(
    "ALREADY_EXISTS",
    409,
    false,
    "{workflow} exists with another text.",
    "Versions are immutable: raise document.version and deploy again.",
  ),
  WORKFLOW_NOT_FOUND: entry(
    "NOT_FOUND",
    404,
    false,
    "There is no workflow {workflow}.",
    "Deploy it first; `maestro workflows list` shows what is deployed.",
  ),
} as const satisfies Record<string, Registered>;
