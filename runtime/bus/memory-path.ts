/**
 * The way of messages from one node to another in a network in memory, for tests and simulation: in order and at once, unless faults are set.
 */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { Frame } from "./wire.ts";

/** What goes wrong with messages. Chances are from 0 to 1 and apply to each message. */
export interface PathFaults {
  /** Chance that it is lost. Default 0. */
  readonly loss?: number;
  /** Chance that it arrives twice. Default 0. */
  readonly duplication?: number;
  /** Chance that later ones may overtake it. Default 0. */
  readonly reordering?: number;
  /** Least and longest time on the way, in milliseconds. Default [0, 0]. */
  readonly delayMs?: readonly [number, number];
}

/** Where a message goes. */
export interface Delivery {
  readonly nodeName: string;
  readonly queue: string | undefined;
  /** Hands the message over, if the subscription still exists. */
  readonly receive: (frame: Frame) => void;
}

/** How much longer an overtaken message takes, as a multiple of the longest delay, and at least in milliseconds. */
const OVERTAKEN_FACTOR = 3;
const OVERTAKEN_MIN_MS = 5;

/** One direction between two nodes. */
export class MemoryPath {
  readonly to: string;
  /** True loses everything. */
  isBroken = false;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Deliveries in order: whichever timer fires first takes the first, so that the order does not hang on timers. */
  readonly #ordered: (() => void)[] = [];
  #faults: PathFaults;
  #lastDueMs = 0;

  constructor(to: string, clock: Clock, random: Random, faults: PathFaults) {
    this.to = to;
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  /** When the last message in order arrives, on the monotonic clock. */
  get lastDueMs(): number {
    return this.#lastDueMs;
  }

  /** Applies to messages from now on. */
  setFaults(faults: PathFaults): void {
    this.#faults = faults;
  }

  /** Takes a message on its way. */
  carry(target: Delivery, frame: Frame): void {
    const { loss = 0, duplication = 0 } = this.#faults;
    if (this.isBroken || this.#happens(loss)) return;
    this.#deliver(target, frame);
    if (this.#happens(duplication)) this.#deliver(target, frame);
  }

  #deliver(target: Delivery, frame: Frame): void {
    const { reordering = 0, delayMs: [minMs, maxMs] = [0, 0] } = this.#faults;
    const delayMs = minMs + (maxMs > minMs ? this.#random.fraction() * (maxMs - minMs) : 0);
    // A partition also loses what is on its way.
    const arrive = (): void => {
      if (!this.isBroken) target.receive(frame);
    };
    if (this.#happens(reordering)) {
      this.#clock.schedule(delayMs + this.#random.fraction() * Math.max(maxMs * OVERTAKEN_FACTOR, OVERTAKEN_MIN_MS), arrive);
      return;
    }
    const nowMs = this.#clock.monotonic();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + delayMs);
    this.#ordered.push(arrive);
    this.#clock.schedule(this.#lastDueMs - nowMs, () => this.#ordered.shift()?.());
  }

  #happens(chance: number): boolean {
    return chance > 0 && this.#random.fraction() < chance;
  }
}
