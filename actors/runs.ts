/**
 * The runs of a node, as the gateway sees them: one port in front of supervisor, shards, run actors and journal. What it acknowledges is
 * committed. Wherever a run's actor is (in memory, passivated, ended long ago), the answers are the same.
 */
import type { RunId } from "../runtime/ids.ts";
import type { RunFilter, RunRecord, RunStatus } from "../runtime/storage/journal.ts";
import type { Problem } from "./language/problem.ts";

/** What to start. Everything was checked already: the input is valid JSON text and within LIMITS. */
export interface StartRun {
  /** UUID of the workflow's version. */
  readonly workflowId: string;
  /** JSON text. */
  readonly input: string;
  readonly userId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Unique within the store: the caller puts the namespace in it. */
  readonly idempotencyKey?: string;
  /** W3C trace context of the call; empty without one. */
  readonly traceParent: string;
}

/** A run that was started, now or by an earlier call with the same key. */
export interface StartedRun {
  readonly runId: RunId;
  readonly created: boolean;
}

/** How a run ended. */
export interface RunOutcome {
  readonly runId: RunId;
  readonly status: RunStatus;
  /** JSON text, when completed. */
  readonly output: string | undefined;
  readonly error: Problem | undefined;
}

/** What an attempt waits for before it is executed, since when in milliseconds since the epoch: a slot of its concurrency key, or an executor of its queue. */
export type TaskWait =
  | { readonly kind: "concurrency"; readonly key: string; readonly limit: number; readonly sinceMs: number }
  | { readonly kind: "queue"; readonly queue: string; readonly sinceMs: number };

/** A task that is under way. */
export interface ActiveTask {
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly attempt: number;
  readonly startedAtMs: number;
  /** Undefined: for nothing of the kind, as far as is known. */
  readonly waitsFor: TaskWait | undefined;
}

/** A run as it is now. */
export interface RunView extends RunRecord {
  /** JSON text. */
  readonly input: string;
  /** JSON text, when completed. */
  readonly output: string | undefined;
  readonly error: Problem | undefined;
  readonly activeTasks: readonly ActiveTask[];
  /** Sequence number of the newest history entry. */
  readonly lastSeq: number;
}

/** One fact of a run's history, for people and programs. */
export interface HistoryEntry {
  readonly seq: number;
  readonly atMs: number;
  /** Name of the fact: `run.started`, `task.started`, `attempt.scheduled` ... */
  readonly type: string;
  /** Path of the task in the document, with iterations; empty when the fact is about the run. */
  readonly path: string;
  /** Name of the task; empty when the fact is about the run. */
  readonly task: string;
  /** Kind of the task; empty when the fact is about the run. */
  readonly kind: string;
  /** Attempt that the fact is about; 0 when it is about none. */
  readonly attempt: number;
  /** JSON text of an object with the rest. */
  readonly details: string;
  readonly error: Problem | undefined;
  /** On `run.ended`. */
  readonly status: RunStatus | undefined;
}

/** A signal for a run. */
export interface RunSignal {
  readonly name: string;
  /** JSON text. */
  readonly payload: string;
  /** Chosen by the sender; a second signal with the same id is acknowledged and not delivered. Empty: no de-duplication. */
  readonly signalId: string;
}

/** Whether a node takes new runs, for those who can hold requests back, or have them refused before any work is done for them. */
export interface Intake {
  /** So many starts wait that more of them are better held back by who brings them. */
  readonly isCrowded: boolean;
  /** Calls back once, when it is not crowded; answers how to give that up. */
  onceRoomy(callback: () => void): () => void;
  /** @throws NODE_OVERLOADED one more start would be refused anyway. */
  requireRoom(): void;
}

/**
 * The runs of a node. Every method throws MaestroError: NODE_STOPPING, JOURNAL_FENCED and the like from anywhere, RUN_NOT_FOUND for an id
 * that is unknown, and what its own comment names.
 */
export interface Runs {
  readonly intake: Intake;
  /**
   * Starts a run; resolves after it is committed.
   *
   * @throws IDEMPOTENCY_KEY_REUSED the key belongs to a run of another workflow version's name; NODE_OVERLOADED; WORKFLOW_NOT_FOUND.
   */
  start(request: StartRun): Promise<StartedRun>;
  /** Starts a run and resolves when it has ended. Cheaper than the two calls. Aborting ends the waiting, not the run. */
  execute(request: StartRun, signal: AbortSignal): Promise<RunOutcome>;
  /** Resolves when the run has ended. Aborting ends the waiting, not the run (REQUEST_CANCELLED). */
  outcome(runId: RunId, signal: AbortSignal): Promise<RunOutcome>;
  get(runId: RunId): Promise<RunView>;
  /** Newest first, after the run `after` if given. */
  list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]>;
  /** At most `limit` entries from `fromSeq`; fewer than `limit` means that there are no more now. */
  history(runId: RunId, fromSeq: number, limit: number): Promise<readonly HistoryEntry[]>;
  /** Entries from `fromSeq`, then live ones after their commit, until the run has ended or `signal` is aborted (then it just ends). */
  watch(runId: RunId, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry>;
  /** Resolves after the signal is committed. @throws RUN_ENDED */
  signal(runId: RunId, signal: RunSignal): Promise<void>;
  /** Resolves after the request is committed; a second one changes nothing, also after the run has ended as cancelled. @throws RUN_ENDED otherwise */
  cancel(runId: RunId, reason: string): Promise<void>;
  /** Resolves after the end is committed; a second one changes nothing. @throws RUN_ENDED it has ended otherwise */
  terminate(runId: RunId, reason: string): Promise<void>;
  /** Lets a quarantined run go on. @throws RUN_NOT_QUARANTINED */
  release(runId: RunId): Promise<void>;
}
