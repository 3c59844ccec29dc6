/**
 * Up to which mark everything is stored in the stream, of what was noted. Pure.
 *
 * What is written between two marks is a generation. A mark is confirmed when every event of its generation and of those before is stored, or its write
 * was given up; whatever the order of commits and acknowledgements.
 */
import type { PublishMark } from "../../runtime/storage/event-checkpoints.ts";

/** What was written between two marks. */
export interface Generation {
  /** Events that are neither stored nor given up. */
  outstanding: number;
  wasUsed: boolean;
  mark: PublishMark | undefined;
}

/** The progress of one node. */
export class Progress {
  #current: Generation = { outstanding: 0, wasUsed: false, mark: undefined };
  readonly #generations: Generation[] = [this.#current];

  /** True if all that was noted is stored or given up. */
  get isSettled(): boolean {
    return this.#generations.every(({ outstanding }) => outstanding === 0);
  }

  /** True if something was written since the last mark. */
  get wasUsed(): boolean {
    return this.#current.wasUsed;
  }

  /** So many events are about to be committed. Whoever has the generation takes one off it for each that is stored, or will never be. */
  note(count: number): Generation {
    this.#current.outstanding += count;
    this.#current.wasUsed = true;
    return this.#current;
  }

  /** A mark: everything that was committed by it was noted before now. */
  close(mark: PublishMark): void {
    this.#current.mark = mark;
    this.#current = { outstanding: 0, wasUsed: false, mark: undefined };
    this.#generations.push(this.#current);
  }

  /** The latest mark by which everything is stored, told once; undefined if there is no new one. */
  confirmed(): PublishMark | undefined {
    const open = this.#generations.findIndex(({ mark, outstanding }) => mark === undefined || outstanding > 0);
    return this.#generations.splice(0, open).at(-1)?.mark;
  }
}
