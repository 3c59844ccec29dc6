/**
 * What SIGINT, SIGTERM and a closed terminal ask of a command, by their number: the first to stop in order, the second to hurry, the next to end at once. It
 * counts; whoever ends the process does it by the answer. An output that breaks asks to stop, too, but never to hurry.
 */
import type { Clock } from "../../runtime/clock.ts";

/**
 * Signals within so many milliseconds are one request: who asks a whole group of processes to stop, as service managers and terminals do, reaches a
 * command directly and through the process that started it.
 */
const SAME_REQUEST_MS = 200;

/** The interruptions of one command. */
export class Interruption {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #hurry = new AbortController();
  #canHurry = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts at the first request. */
  get interrupted(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts at the second request, for a command that takes time to stop in order. If nobody has called this by then, the second one ends the process. */
  hurried(): AbortSignal {
    this.#canHurry = true;
    return this.#hurry.signal;
  }

  /** A signal arrived: aborts what there is to abort, and says whether the process is to end now. */
  note(): "go on" | "end at once" {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#lastMs < SAME_REQUEST_MS) return "go on";
    this.#lastMs = nowMs;
    if (!this.#stop.signal.aborted) this.#stop.abort();
    else if (this.#canHurry && !this.#hurry.signal.aborted) this.#hurry.abort();
    else return "end at once";
    return "go on";
  }

  /**
   * Nobody reads any more: says whether the process is to end now. A command that takes time to stop, as a node does, begins to; one that stops
   * already goes on with that; any other has nothing left to do.
   */
  noteOutputLost(): "go on" | "end at once" {
    if (this.#stop.signal.aborted) return "go on";
    return this.#canHurry ? this.note() : "end at once";
  }
}
