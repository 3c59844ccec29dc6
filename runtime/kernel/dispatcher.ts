/**
 * The run queue of one actor system: gives actors that have something to do their turn, in order. It lets I/O in after at most
 * `LIMITS.dispatcherTurnMs` of work, even if the work comes in many small pieces that start each other (an ask answered, which asks again).
 */
import type { Clock } from "../clock.ts";
import { LIMITS } from "../limits.ts";
import { Ring } from "./ring.ts";
import type { Scheduler } from "./scheduler.ts";

/** Turns between two looks at the clock. */
const TURNS_PER_LOOK = 8;

/** Something that wants the thread for one bounded turn. `turn` must not throw. */
export interface Runnable {
  turn(): void;
}

/** A fair run queue. An entry gets one turn each time it was scheduled. */
export class Dispatcher {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #queue = new Ring<Runnable>();
  /** True while a drain was asked for and has not begun, or is under way. */
  #busy = false;
  /** True while a call back after I/O is due; until it comes, all drains share one budget. */
  #breathing = false;
  /** Milliseconds worked since I/O was last let in. */
  #spentMs = 0;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock;
    this.#scheduler = scheduler;
  }

  /** Actors that wait for their turn. */
  get length(): number {
    return this.#queue.length;
  }

  /** Puts `runnable` at the end of the queue. */
  schedule(runnable: Runnable): void {
    this.#queue.push(runnable);
    if (!this.#busy) this.#request();
  }

  #request(): void {
    if (!this.#breathing) {
      this.#breathing = true;
      this.#spentMs = 0;
      this.#scheduler.afterIo(this.#breathe);
    }
    if (this.#spentMs >= LIMITS.dispatcherTurnMs) return;
    this.#busy = true;
    this.#scheduler.soon(this.#drain);
  }

  readonly #breathe = (): void => {
    this.#spentMs = 0;
    this.#breathing = this.#queue.length > 0;
    if (!this.#breathing) return;
    this.#scheduler.afterIo(this.#breathe);
    if (!this.#busy) this.#drain();
  };

  readonly #drain = (): void => {
    const startMs = this.#clock.monotonic();
    const budgetMs = LIMITS.dispatcherTurnMs - this.#spentMs;
    let untilLook = TURNS_PER_LOOK;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        next.turn();
        if (--untilLook > 0) continue;
        untilLook = TURNS_PER_LOOK;
        if (this.#clock.monotonic() - startMs >= budgetMs) break;
      }
    } finally {
      this.#busy = false;
      this.#spentMs += this.#clock.monotonic() - startMs;
      if (this.#queue.length > 0) this.#request();
    }
  };
}
