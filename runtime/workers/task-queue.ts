/**
 * A first-in first-out queue whose items can be taken out of the middle, all at constant cost. Its bound is the pool's business.
 */

/** The queue. An item is in it at most once. */
export class TaskQueue<T extends object> {
  readonly #items = new Set<T>();
  /** Kept alive across calls: a fresh iterator would walk over everything that was removed at the front. */
  #iterator = this.#items.values();

  get length(): number {
    return this.#items.size;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.add(item);
  }

  /** Takes the oldest item out. */
  shift(): T | undefined {
    if (this.#items.size === 0) return undefined;
    const { value } = this.#iterator.next();
    if (value !== undefined) this.#items.delete(value);
    return value;
  }

  /** Takes an item out; false if it was not there. */
  remove(item: T): boolean {
    return this.#items.delete(item);
  }
}
