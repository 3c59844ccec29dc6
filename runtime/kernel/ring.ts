/**
 * A queue on a circular array. Adding and taking at either end is O(1); the array doubles when it is full and is given back when a long
 * queue has emptied. It knows no bound: whoever fills it enforces one.
 */

const INITIAL_SLOTS = 8;
/** An emptied queue that had grown beyond this gives its array back. */
const KEPT_SLOTS = 64;

/** A double-ended queue of items of one type. `undefined` may be an item. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(INITIAL_SLOTS);
  #head = 0;
  #length = 0;

  /** Number of items that wait. */
  get length(): number {
    return this.#length;
  }

  /** The item at the front, which stays there; undefined if nothing waits. */
  get first(): T | undefined {
    return this.#slots[this.#head];
  }

  /** Adds at the end. */
  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  /** Adds at the front. */
  unshift(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = item;
    this.#length++;
  }

  /** Takes from the front; undefined if nothing waits (ask `length` first where undefined may be an item). */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    if (this.#length === 0 && this.#slots.length > KEPT_SLOTS) this.#shrink();
    return item;
  }

  #grow(): void {
    const slots = this.#slots;
    const grown = new Array<T | undefined>(slots.length * 2);
    for (let index = 0; index < this.#length; index++) grown[index] = slots[(this.#head + index) & (slots.length - 1)];
    this.#slots = grown;
    this.#head = 0;
  }

  #shrink(): void {
    this.#slots = new Array<T | undefined>(INITIAL_SLOTS);
    this.#head = 0;
  }
}
