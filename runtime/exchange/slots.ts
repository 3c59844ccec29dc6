/**
 * How many attempts a node executes at a time, and how many of these places are taken: by attempts under way, of its own runs and of other nodes', and by those
 * that it has asked others for. A place is taken before anything can come for it, so nobody is ever given more than it can execute.
 */
import { invariant } from "../assert.ts";

/** The places of one node. */
export class Slots {
  readonly #capacity: number;
  #taken = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Places that are not taken. */
  get free(): number {
    return this.#capacity - this.#taken;
  }

  /** Takes places, which must be free. */
  take(count: number): void {
    invariant(count <= this.free, `${count} slots are taken while ${this.free} are free`);
    this.#taken += count;
  }

  /** Gives places back. */
  release(count: number): void {
    invariant(count <= this.#taken, `${count} slots are given back while ${this.#taken} are taken`);
    this.#taken -= count;
  }
}
