/**
 * The pool of the tier `process`: a child process and its threads, which cost memory, and time to start. Owns when they are there: from the first need until a
 * while after the last, so that a suspicion which did not come true costs nothing for long. With a handler that asks for this tier, or that has
 * crashed, they stay.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { Attempt, AttemptOutcome } from "./pool.ts";
import type { QueuedPool } from "./queue-load.ts";

/**
 * How long the child process waits for another need, in milliseconds: longer than it takes from one lost node to the next when a whole cluster has
 * trouble. Exported for tests.
 */
export const CHILD_IDLE_MS = 60_000;

/** A child process with its threads. */
export interface OpenChild {
  readonly pool: QueuedPool;
  /** Ends the threads, after up to `graceMs` for what is under way, and then the process; resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/** See the file header. */
export class ProcessTier {
  readonly #clock: Clock;
  readonly #open: () => OpenChild;
  readonly #onNotStarted: (error: unknown) => void;
  #child: OpenChild | undefined;
  #neededAtMs = 0;
  #staysOpen = false;
  #cancelEnd: CancelTimer | undefined;
  /** Resolves when the children that were no longer needed are gone. */
  #ended: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  /** `open` starts a child. `onNotStarted` is told if that fails while nobody has asked for anything but that it be prepared. */
  constructor(clock: Clock, open: () => OpenChild, onNotStarted: (error: unknown) => void) {
    this.#clock = clock;
    this.#open = open;
    this.#onNotStarted = onNotStarted;
  }

  /** The pool, if it is there. */
  get pool(): QueuedPool | undefined {
    return this.#child?.pool;
  }

  /** Somebody may need the child soon: it starts now, unless it is there. Never throws: who suspects has more important things to do. */
  prepare(): void {
    try {
      if (!this.#isStopped) this.#need();
    } catch (error) {
      this.#onNotStarted(error);
    }
  }

  /** From now on there is a child until the end. */
  stayOpen(): void {
    this.#staysOpen = true;
  }

  /** See `WorkerPool.submit`. */
  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    this.#need().pool.submit(attempt, (outcome) => {
      this.#neededAtMs = this.#clock.monotonic();
      settle(outcome);
    });
  }

  /** Ends what is there, after up to `graceMs` for what is under way; resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#cancelEnd?.();
    await Promise.all([this.#child?.stop(graceMs), this.#ended]);
  }

  #need(): OpenChild {
    this.#neededAtMs = this.#clock.monotonic();
    if (this.#child === undefined) {
      this.#child = this.#open();
      this.#endAfter(CHILD_IDLE_MS);
    }
    return this.#child;
  }

  #endAfter(delayMs: number): void {
    this.#cancelEnd = this.#clock.schedule(delayMs, () => this.#endIfIdle());
  }

  #endIfIdle(): void {
    const child = this.#child;
    if (child === undefined || this.#staysOpen || this.#isStopped) return;
    const { active, queued } = child.pool.state;
    const idleMs = active + queued > 0 ? 0 : this.#clock.monotonic() - this.#neededAtMs;
    if (idleMs < CHILD_IDLE_MS) return this.#endAfter(CHILD_IDLE_MS - idleMs);
    // Whoever needs one from now on gets another child: this one takes nothing any more.
    this.#child = undefined;
    this.#ended = Promise.all([this.#ended, child.stop(0)]);
  }
}
