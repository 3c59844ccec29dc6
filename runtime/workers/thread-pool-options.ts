/**
 * Options of a thread pool, and their defaults.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { HandlerInfo, Tier } from "./pool.ts";
import type { StartThread } from "./thread-link.ts";

/** What a {@link ThreadPool} is made of. */
export interface ThreadPoolOptions extends Patience {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly tier: Tier;
  readonly threads: number;
  readonly startThread: StartThread;
  /** Starts a thread that shares nothing that a task can end with another thread: for tasks that are suspected of having ended one. */
  readonly startSolitary: StartThread;
  /** The handlers, as far as they are known before a thread has started. */
  readonly handlers: ReadonlyMap<string, HandlerInfo>;
  /** Attempts that may wait. */
  readonly queueLength: number;
}

/** How patient a pool is with its threads. */
export interface Patience {
  /** How long an attempt may go on after its signal was aborted before its thread is ended, in milliseconds. Default 5,000. */
  readonly cancelGraceMs: number;
  /** How long a thread may give no answer while one of its attempts should have stopped, in milliseconds. Default 1,000. */
  readonly blockedMs: number;
  /** How long any thread with work may give no answer, in milliseconds: bounds synchronous computing. Default 60,000. */
  readonly unresponsiveMs: number;
}

/** The defaults. */
export const PATIENCE: Patience = Object.freeze({ cancelGraceMs: 5_000, blockedMs: 1_000, unresponsiveMs: 60_000 });
