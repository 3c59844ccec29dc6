/**
 * Tells of bounded things that pass half of their bound, while there is time to act: once for each crossing, and for each limit a few times a minute at
 * most, however many things cross it. Owns when to tell; what a thing holds is its owner's to know. Where nothing is near, it costs a comparison.
 */
import type { Clock } from "./clock.ts";
import type { EventHub } from "./events.ts";
import { boundOf, isNear, type WatchedLimit } from "./watched-limits.ts";

/** At most one event for a limit in this time; the others are counted. */
const EVENT_EVERY_MS = 10_000;

/** Who is near the limit. */
export interface LimitBlame {
  /** What holds so much, for people: the path of an actor, a queue. */
  readonly subject: string;
  readonly runId?: string;
  /** `namespace/name`. */
  readonly workflow?: string;
}

interface Tally {
  suppressed: number;
  nextEventMs: number;
}

/** Emits `limit.near` for one part of a node. */
export class LimitWatch {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #tallies = new Map<WatchedLimit, Tally>();

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Tells that `value` has come near a bound; the caller compared them. `bound`: default that of the product. */
  near(limit: WatchedLimit, value: number, blame: LimitBlame, bound: number = boundOf(limit)): void {
    const nowMs = this.#clock.monotonic();
    const tally = this.#tallies.get(limit) ?? { suppressed: 0, nextEventMs: nowMs };
    this.#tallies.set(limit, tally);
    if (nowMs < tally.nextEventMs) {
      tally.suppressed += 1;
      return;
    }
    const { suppressed } = tally;
    tally.suppressed = 0;
    tally.nextEventMs = nowMs + EVENT_EVERY_MS;
    this.#events.emit("limit.near", { limit, value, bound, suppressed, ...blame });
  }

  /** Tells of a single thing that is large, or says nothing. */
  measure(limit: WatchedLimit, value: number, blame: () => LimitBlame): void {
    if (isNear(false, value, boundOf(limit))) this.near(limit, value, blame());
  }
}

/** One value that grows and shrinks: tells when it comes near its bound, and again only after it was far from it. */
export class LimitEdge {
  readonly #watch: LimitWatch;
  readonly #limit: WatchedLimit;
  readonly #subject: string;
  readonly #bound: number;
  #isNear = false;

  /** `bound`: default that of the product. */
  constructor(watch: LimitWatch, limit: WatchedLimit, subject: string, bound: number = boundOf(limit)) {
    this.#watch = watch;
    this.#limit = limit;
    this.#subject = subject;
    this.#bound = bound;
  }

  /** The value is this now. To be called when it grew; it need not be when it shrank. */
  note(value: number): void {
    const wasNear = this.#isNear;
    this.#isNear = isNear(wasNear, value, this.#bound);
    if (this.#isNear && !wasNear) this.#watch.near(this.#limit, value, { subject: this.#subject }, this.#bound);
  }
}
