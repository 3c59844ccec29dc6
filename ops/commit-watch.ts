/**
 * Finds that no commit gets through: a lane of the journal that only retries, as on a full disk, while the database still answers its lease.
 */
import type { Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";

/** How long a lane may retry before its node counts as not ready, in milliseconds: a short fault is got over without anyone's help. */
const RETRYING_MS = 3_000;

/** What the watch needs, and who hears of it. */
export interface CommitWatchOptions {
  readonly events: EventHub;
  readonly clock: Clock;
  /** A lane takes no commits; told again with each retry. */
  onStalled(reason: string): void;
  /** Every lane that took none has committed again. */
  onRecovered(): void;
}

/** Watches the lanes of one journal through its events, for as long as they are emitted. */
export class CommitWatch {
  readonly #options: CommitWatchOptions;
  /** Lanes that retry, and since when on the monotonic clock. At most one entry a lane. */
  readonly #retryingSinceMs = new Map<number, number>();
  #isStalled = false;

  /** Listens from now on. */
  constructor(options: CommitWatchOptions) {
    this.#options = options;
    options.events.on("journal.retried", ({ lane, reason }) => this.#retried(lane, reason));
    options.events.on("journal.committed", ({ lane }) => this.#committed(lane));
  }

  #retried(lane: number, reason: string): void {
    const nowMs = this.#options.clock.monotonic();
    const sinceMs = this.#retryingSinceMs.get(lane) ?? nowMs;
    this.#retryingSinceMs.set(lane, sinceMs);
    if (nowMs - sinceMs < RETRYING_MS) return;
    this.#isStalled = true;
    this.#options.onStalled(`lane ${lane} has committed nothing for ${Math.round((nowMs - sinceMs) / 1_000)} s: ${reason}`);
  }

  #committed(lane: number): void {
    if (!this.#retryingSinceMs.delete(lane) || this.#retryingSinceMs.size > 0 || !this.#isStalled) return;
    this.#isStalled = false;
    this.#options.onRecovered();
  }
}
