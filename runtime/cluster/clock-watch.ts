/**
 * Compares a node's wall clock with the store's at each renewal of the lease, and tells when they differ too much: timers fire by the clock of the node
 * that has the run. It only tells; it sets no clock and corrects no time.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { type ClockRecord, type ClockVerdict, NOTHING_COMPARED, offsetOf, verdictAfter } from "./clock-offset.ts";

/** What it needs. */
export interface ClockWatchOptions {
  readonly clock: Clock;
  readonly events: EventHub;
}

/** The watch over the clock of one node. */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #record: ClockRecord = NOTHING_COMPARED;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** To be called as the store is asked; what is returned, with the time that the store says (milliseconds since the epoch), as soon as it has answered. */
  asking(): (storeTimeMs: number) => void {
    const { clock } = this.#options;
    const [sentAtMs, startedAtMs] = [clock.now(), clock.monotonic()];
    return (storeTimeMs) => {
      const roundTripMs = clock.monotonic() - startedAtMs;
      const offset = offsetOf({ sentAtMs, receivedAtMs: clock.now(), roundTripMs, storeTimeMs });
      this.#note(verdictAfter(this.#record, offset));
    };
  }

  #note(verdict: ClockVerdict): void {
    const { events } = this.#options;
    const { isSkewed: wasSkewed } = this.#record;
    this.#record = verdict;
    events.emit("clock.compared", verdict.best);
    if (verdict.isSkewed && !wasSkewed) events.emit("clock.skewed", verdict.best);
    if (wasSkewed && !verdict.isSkewed) events.emit("clock.aligned", verdict.best);
  }
}
