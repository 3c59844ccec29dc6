/**
 * What a publisher tells observers: how many events the stream took, that it is away or back, and refusals, a few times a minute at most.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { EventHub } from "../../runtime/events.ts";

/** At most one event about refusals in this time. */
const REFUSAL_EVERY_MS = 10_000;

/** The report of one publisher. */
export class PublishReport {
  readonly #clock: Clock;
  readonly #events: EventHub;
  #published = 0;
  #refusals = 0;
  #nextRefusalMs = 0;
  #isStalled = false;

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock;
    this.#events = events;
  }

  /** The stream took an event. Told with the next {@link tell}. */
  stored(): void {
    this.#published += 1;
  }

  /** Tells what was stored since it was last told; nothing if that is nothing. */
  tell(waiting: number): void {
    if (this.#published === 0) return;
    this.#events.emit("events.published", { count: this.#published, waiting });
    this.#published = 0;
  }

  refused(reason: string): void {
    const nowMs = this.#clock.monotonic();
    this.#refusals += 1;
    if (nowMs < this.#nextRefusalMs) return;
    this.#nextRefusalMs = nowMs + REFUSAL_EVERY_MS;
    this.#events.emit("events.refused", { reason, suppressed: this.#refusals - 1 });
    this.#refusals = 0;
  }

  /** The stream is away. Told once until it is back. */
  lost(reason: string): void {
    if (!this.#isStalled) this.#events.emit("events.stalled", { reason });
    this.#isStalled = true;
  }

  /** It is there. */
  ready(waiting: number): void {
    if (this.#isStalled) this.#events.emit("events.resumed", { waiting });
    this.#isStalled = false;
  }
}
