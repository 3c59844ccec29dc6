/**
 * The definition API for task handlers: what a user's handler module imports. A definition is a frozen literal; it is checked when a worker
 * thread loads it, so that all faults of a module are told at once. It must not import anything of the pool: user code loads it everywhere.
 */
import type { HandlerOptions, RetryOptions, Tier } from "./pool.ts";

/** Marks definitions, also those made with another copy of this module. */
const TASK_BRAND = Symbol.for("maestro.task");

/** Writes lines to the log of the attempt. `data` must be JSON; a line is cut at `LIMITS.logLineBytes`. */
export interface TaskLog {
  debug(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
}

/** What a handler is given beside its input. */
export interface TaskContext {
  /** Aborts when the attempt is cancelled or has exceeded a bound. Hand it to `fetch` and the like; what ignores it loses its thread. */
  readonly signal: AbortSignal;
  /** Counted from 1. */
  readonly attempt: number;
  /** The same for all attempts of the task: side effects happen at least once, and this key lets a receiver drop repetitions. */
  readonly idempotencyKey: string;
  readonly runId: string;
  /** Path of the task in its workflow. */
  readonly task: string;
  /** W3C trace context for outgoing calls; empty without one. */
  readonly traceParent: string;
  readonly log: TaskLog;
  /** Says that the attempt is alive, for handlers with `heartbeatMs`. `details` are written to the task's log at level debug. */
  heartbeat(details?: unknown): void;
}

/** A task handler. */
export interface TaskDefinition<Input = unknown, Output = unknown> {
  /** What workflows call it: letters, digits and `. _ -`, beginning with a letter, at most 64 characters. */
  readonly name: string;
  /** Default `thread`. */
  readonly tier?: Tier;
  /** Longest wait for a slot of its concurrency key and for a thread, together, in milliseconds. Default: none. */
  readonly scheduleToStartMs?: number;
  /** Longest execution of one attempt, in milliseconds. Default: none. */
  readonly startToCloseMs?: number;
  /** Longest silence between two heartbeats, in milliseconds. Default: none. */
  readonly heartbeatMs?: number;
  /** Default: whatever the workflow says. */
  readonly retry?: RetryOptions;
  /** Name of the queue that attempts wait in, unless the workflow names another one. Default `default`. */
  readonly queue?: string;
  /** Which attempts go first when several wait, from 1 to 5 (the last), unless the workflow says otherwise. Default 3. */
  readonly priority?: number;
  /**
   * At most `limit` attempts with the same key are under way at a time, in the whole cluster; the others wait. Default: no bound. Default of `key`: all
   * attempts of this handler are counted together. A workflow that gives a key of its own is what counts.
   */
  readonly concurrency?: { readonly key?: string; readonly limit: number };
  /** Does the work. What it returns must be JSON; undefined counts as null. What it throws fails the attempt. */
  run(input: Input, context: TaskContext): Output | Promise<Output>;
}

/** Makes a task handler of a literal. Export the result, by default or by any name. */
export function defineTask<Input = unknown, Output = unknown>(definition: TaskDefinition<Input, Output>): TaskDefinition<Input, Output> {
  return Object.freeze(Object.assign(Object.create({ [TASK_BRAND]: true }), definition) as TaskDefinition<Input, Output>);
}

/** True if `value` was made with {@link defineTask}. */
export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return typeof value === "object" && value !== null && TASK_BRAND in value;
}

/** What a {@link TaskError} says beside its message. */
export interface TaskErrorDetail {
  /** Problem type URI, for `catch` in a workflow. */
  readonly type?: string;
  /** Like an HTTP status: 100 to 599. */
  readonly status?: number;
  readonly title?: string;
  /** False: the attempt is not repeated, whatever the retry policy says. Default true. */
  readonly retryable?: boolean;
  /** More facts, as JSON. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** A failure that the handler foresaw. Anything else that is thrown fails the attempt too, only with less to say. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly type: string | undefined;
  readonly status: number | undefined;
  readonly title: string | undefined;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor(message: string, detail: TaskErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.type = detail.type;
    this.status = detail.status;
    this.title = detail.title;
    this.retryable = detail.retryable ?? true;
    this.details = detail.details;
  }
}

/** The options of a definition, with the defaults filled in. */
export function optionsOf(definition: TaskDefinition): HandlerOptions {
  const { tier = "thread", scheduleToStartMs, startToCloseMs, heartbeatMs, retry, queue, priority, concurrency } = definition;
  return {
    tier,
    ...(scheduleToStartMs === undefined ? {} : { scheduleToStartMs }),
    ...(startToCloseMs === undefined ? {} : { startToCloseMs }),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(retry === undefined ? {} : { retry }),
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}
