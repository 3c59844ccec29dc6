/**
 * Finds that no commit gets through: a lane of the journal that only retries, as on a full disk, or that gets no answer at all, while the rest of the node is
 * in order.
 */
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";

/** How long a lane may be busy with the same writes before its node counts as not ready, in milliseconds: a short fault is got over without anyone's help. */
const STALLED_MS = 3_000;
/** How often lanes are looked at that are busy, in milliseconds. */
const LOOK_MS = 500;

/** What the watch needs, and who hears of it. */
export interface CommitWatchOptions {
  readonly events: EventHub;
  readonly clock: Clock;
  /** A lane takes no commits; told again with each look. */
  onStalled(reason: string): void;
  /** Every lane that took none has settled its writes. */
  onRecovered(): void;
}

/** A lane that is busy. */
interface Busy {
  /** On the monotonic clock. */
  readonly sinceMs: number;
  /** Why it tries again; empty as long as it has had no answer. */
  reason: string;
}

/** Watches the lanes of one journal through its events, for as long as they are emitted. */
export class CommitWatch {
  readonly #options: CommitWatchOptions;
  /** At most one entry a lane. */
  readonly #busy = new Map<number, Busy>();
  #cancelLook: CancelTimer | undefined;
  #isStalled = false;

  /** Listens from now on. */
  constructor(options: CommitWatchOptions) {
    this.#options = options;
    const { events, clock } = options;
    events.on("journal.begun", ({ lane }) => {
      this.#busy.set(lane, { sinceMs: clock.monotonic(), reason: "" });
      this.#lookLater();
    });
    events.on("journal.retried", ({ lane, reason }) => {
      const busy = this.#busy.get(lane);
      if (busy !== undefined) busy.reason = reason;
    });
    events.on("journal.settled", ({ lane }) => {
      this.#busy.delete(lane);
      if (this.#isStalled) this.#look();
    });
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#options.clock.schedule(LOOK_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
      if (this.#busy.size > 0) this.#lookLater();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic();
    const stalled = [...this.#busy].find(([, { sinceMs }]) => nowMs - sinceMs >= STALLED_MS);
    if (stalled !== undefined) {
      const [lane, { sinceMs, reason }] = stalled;
      this.#isStalled = true;
      this.#options.onStalled(
        `lane ${lane} has committed nothing for ${Math.floor((nowMs - sinceMs) / 1_000)} s: ${reason === "" ? "no answer" : reason}`,
      );
    } else if (this.#isStalled) {
      this.#isStalled = false;
      this.#options.onRecovered();
    }
  }
}
