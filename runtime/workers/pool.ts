/**
 * The port of the worker pool: executes task attempts outside the node's own thread. A crash, an endless loop or a `process.exit` in a task
 * costs that attempt, never the node. Results travel as JSON text, so that the node's thread neither clones nor parses what it only stores.
 */
import type { ConcurrencyLimit, SchedulingOptions } from "./scheduling.ts";

/** Where an attempt executes: in a thread of the node, or in a thread of a child process that may die without harm. */
export type Tier = "thread" | "process";

/** How far an attempt is kept from the node: as its handler's tier says, or in another process in any case. */
export type Isolation = "tier" | "process";

/** One attempt to execute. */
export interface Attempt {
  /** Unique among the attempts under way on this node. */
  readonly id: string;
  /** Name of a registered handler, or of a built-in one (`http`, `shell`). */
  readonly handler: string;
  /** JSON text. */
  readonly input: string;
  /** The same for all attempts of a task: for de-duplication by what the task calls. */
  readonly idempotencyKey: string;
  readonly runId: string;
  /** Path of the task in its workflow. */
  readonly task: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** W3C trace context; empty without one. */
  readonly traceParent: string;
  /** Name of the queue that it waits in. */
  readonly queue: string;
  /** Which of those that wait go first: from 1 to 5, the last. */
  readonly priority: number;
  /** It is executed only while it has one of the slots of this key. Undefined: it needs none. */
  readonly concurrency?: ConcurrencyLimit | undefined;
  /** How long it has waited elsewhere, in milliseconds: counts towards `scheduleToStartMs`. Default 0. */
  readonly waitedMs?: number;
  /** Default `tier`. */
  readonly isolation?: Isolation;
}

/** Why an attempt failed, as plain data. */
export interface AttemptError {
  /**
   * `thrown`: the handler threw; `result`: it returned something that is not JSON or too large; `crashed`: its thread or process ended under
   * it; `timedOut`: see `timeout`; `unknown`: no handler of that name; `refused`: it threw a TaskError marked as not retryable;
   * `lost`: its thread or process ended for a reason that lies elsewhere, or that nobody can name, so that it may run again without counting
   * as an attempt. The pool bounds that itself: a task that may be the culprit, or was lost `LIMITS.lossesPerTask` times in a row, is executed
   * alone the next time, and what loses its thread then is `crashed`.
   */
  readonly kind: "thrown" | "refused" | "result" | "crashed" | "timedOut" | "unknown" | "lost";
  /** Which bound was exceeded, for `timedOut`. */
  readonly timeout?: "scheduleToStart" | "startToClose" | "heartbeat";
  readonly message: string;
  /** Problem type URI, status and title, if the handler threw a TaskError that gives them. */
  readonly type?: string;
  readonly status?: number;
  readonly title?: string;
  /** What the handler gave with its TaskError beside that: JSON text. */
  readonly details?: string;
  /** The handler's stack, for logs. */
  readonly stack?: string;
}

/** The tier that is to execute an attempt. One whose handler is not known is refused before it costs anything. */
export function tierOf({ handler, isolation }: Pick<Attempt, "handler" | "isolation">, handlers: ReadonlyMap<string, HandlerInfo>): Tier {
  return isolation === "process" ? "process" : (handlers.get(handler)?.options.tier ?? "thread");
}

/** How an attempt ended. `output` is JSON text. */
export type AttemptOutcome =
  | { readonly kind: "completed"; readonly output: string }
  | { readonly kind: "failed"; readonly error: AttemptError }
  | { readonly kind: "cancelled" };

/** Bounds, retries and scheduling that a handler declares for itself. */
export interface HandlerOptions extends SchedulingOptions {
  readonly tier: Tier;
  /** Longest wait for a slot of its concurrency key and for a thread, together, in milliseconds. Default: none. */
  readonly scheduleToStartMs?: number;
  /** Longest execution of one attempt, in milliseconds. Default: none. */
  readonly startToCloseMs?: number;
  /** Longest silence between two heartbeats, in milliseconds. Default: none; with it, the handler's thread must not block. */
  readonly heartbeatMs?: number;
  readonly retry?: RetryOptions;
}

/** When a failed attempt is followed by another one. */
export interface RetryOptions {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** Delay before the second attempt, in milliseconds. Default 1,000. */
  readonly delayMs?: number;
  /** Default: exponential (the delay doubles). */
  readonly backoff?: "constant" | "linear" | "exponential";
  /** Longest delay, in milliseconds. Default 60,000. */
  readonly maxDelayMs?: number;
  /** Share of the delay that is left to chance, from 0 to 1. Default 0.2. */
  readonly jitter?: number;
}

/** A handler that the pool can execute. */
export interface HandlerInfo {
  readonly name: string;
  readonly options: HandlerOptions;
  /** File that it was loaded from; empty for built-in ones. */
  readonly file: string;
}

/** What the pool is doing. */
export interface PoolState {
  readonly threads: number;
  readonly active: number;
  readonly queued: number;
}

/** Executes attempts. */
export interface WorkerPool {
  /** The handlers, by name. */
  readonly handlers: ReadonlyMap<string, HandlerInfo>;
  readonly state: PoolState;
  /**
   * Queues an attempt. `settle` is called once, later, from the node's own thread, however the attempt ends.
   *
   * @throws TASK_QUEUE_FULL nothing was queued.
   */
  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void;
  /** Since when an attempt waits for an executor, on the monotonic clock; undefined if it is executed, or not here. */
  waitingSinceMs(attemptId: string): number | undefined;
  /** Asks an attempt to stop: aborts its signal, and after a grace ends its thread. It then settles as `cancelled`, or as it ended before. */
  cancel(attemptId: string): void;
  /** Takes no more attempts, waits up to `graceMs` for those under way, then ends all threads. What is left settles as `cancelled`. */
  stop(graceMs: number): Promise<void>;
}
