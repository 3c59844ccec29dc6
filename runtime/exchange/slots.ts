/**
 * How many attempts a node executes at a time, and how many of these places are taken: by attempts under way, of its own runs and of other nodes'. A place that
 * others were asked to fill is claimed until they have answered: nobody else is asked for it, but it keeps out no attempt that is here already.
 */
import { invariant } from "../assert.ts";

/** The places of one node. */
export class Slots {
  readonly #capacity: number;
  #taken = 0;
  #claimed = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** True while one more attempt may begin. */
  get hasRoom(): boolean {
    return this.#taken < this.#capacity;
  }

  /** Places for which others may be asked. */
  get free(): number {
    return Math.max(0, this.#capacity - this.#taken - this.#claimed);
  }

  /** Takes a place, which must be there. */
  take(): void {
    invariant(this.hasRoom, `one more than ${this.#capacity} slots is taken`);
    this.#taken += 1;
  }

  /** Gives a place back. */
  release(): void {
    invariant(this.#taken > 0, "a slot is given back that was not taken");
    this.#taken -= 1;
  }

  /** Claims free places while `ask` is under way. */
  async claim(count: number, ask: () => Promise<void>): Promise<void> {
    this.#claimed += count;
    try {
      await ask();
    } finally {
      this.#claimed -= count;
    }
  }
}
