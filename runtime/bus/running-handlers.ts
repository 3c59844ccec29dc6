/**
 * Handlers of messages that are under way on one bus: at most `LIMITS.busHandlers`, and what one throws reaches nobody but the listeners of events.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { LIMITS } from "../limits.ts";

/** Dropped messages are told of at most once in this time; the others are counted. */
const TOLD_EVERY_MS = 10_000;

/** The handlers under way. */
export class RunningHandlers {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #onEmpty: () => void;
  #count = 0;
  #suppressed = 0;
  #nextEventMs = 0;

  /** `onEmpty` is called whenever the last handler under way has ended. */
  constructor(clock: Clock, events: EventHub, onEmpty: () => void) {
    this.#clock = clock;
    this.#events = events;
    this.#onEmpty = onEmpty;
  }

  /** Number of handlers under way. */
  get count(): number {
    return this.#count;
  }

  /** True if there is no place for another handler. Tells of a message on `subject` that is not handled for this reason. */
  isFull(subject: string): boolean {
    if (this.#count < LIMITS.busHandlers) return false;
    const nowMs = this.#clock.monotonic();
    if (nowMs < this.#nextEventMs) this.#suppressed++;
    else {
      this.#events.emit("bus.dropped", { subject, handlers: this.#count, suppressed: this.#suppressed });
      this.#nextEventMs = nowMs + TOLD_EVERY_MS;
      this.#suppressed = 0;
    }
    return true;
  }

  /** Calls `handle` and watches over what it returns. Never throws. */
  run(subject: string, handle: () => void | Promise<void>): void {
    let running: void | Promise<void>;
    try {
      running = handle();
    } catch (error) {
      this.#events.emit("bus.handlerFailed", { subject, error });
      return;
    }
    if (running === undefined) return;
    this.#count++;
    running
      .catch((error: unknown) => this.#events.emit("bus.handlerFailed", { subject, error }))
      .finally(() => {
        this.#count--;
        if (this.#count === 0) this.#onEmpty();
      });
  }
}
