/**
 * Finds threads that no longer answer. A thread with an attempt that should have stopped is given little time, any other much: computing for
 * a while is allowed, holding a thread for ever is not.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { PoolThread } from "./pool-thread.ts";

/** Patience of a watchdog. */
export interface WatchdogOptions {
  readonly clock: Clock;
  /** For a thread with an attempt that was cancelled or exceeded a bound, in milliseconds. */
  readonly blockedMs: number;
  /** For any thread, in milliseconds. */
  readonly unresponsiveMs: number;
  readonly threads: () => Iterable<PoolThread>;
}

/** Looks after the threads of a pool while they have work. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #periodMs: number;
  #cancel: CancelTimer | undefined;
  #dueMs = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#periodMs = Math.max(options.blockedMs / 4, 1);
  }

  /** Watches until no thread has work. */
  wake(): void {
    if (this.#cancel === undefined) this.#arm();
  }

  /** Watches no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#dueMs = this.#options.clock.monotonic() + this.#periodMs;
    // Answers that are waiting to be read are read before anyone is judged.
    this.#cancel = this.#options.clock.schedule(this.#periodMs, () => setImmediate(() => this.#look()));
  }

  #look(): void {
    if (this.#cancel === undefined) return;
    this.#cancel = undefined;
    const nowMs = this.#options.clock.monotonic();
    const late = nowMs - this.#dueMs > this.#periodMs;
    let busy = false;
    for (const thread of this.#options.threads()) {
      if (thread.executions.size === 0) continue;
      busy = true;
      // A node that stood still itself can't say who did not answer.
      if (late) thread.forgive();
      else this.#judge(thread, nowMs);
      thread.ping();
    }
    if (busy) this.#arm();
  }

  #judge(thread: PoolThread, nowMs: number): void {
    const unansweredMs = thread.unansweredMs(nowMs);
    thread.sluggish = unansweredMs >= this.#periodMs / 2;
    const overdue = unansweredMs >= this.#options.blockedMs && [...thread.executions.values()].some((execution) => execution.verdict !== undefined);
    if (!overdue && unansweredMs < this.#options.unresponsiveMs) return;
    // A thread short of memory collects garbage all the time; it can't be asked how full its heap is, as it answers nothing.
    const causes = "an endless loop, a computation that never lets go, or memory that ran short";
    const reason = `the thread did not answer for ${Math.round(unansweredMs)} ms: ${causes}`;
    thread.condemn({ reason, blocked: true, culprit: 0 });
  }
}
