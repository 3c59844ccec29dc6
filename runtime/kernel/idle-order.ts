/**
 * Who was idle for how long, in constant time per activity: the order of a map's entries is the order of their last activity.
 */

/** Items in the order of their last activity. Pure but for being mutable: the caller gives the time. */
export class IdleOrder<T> {
  readonly #lastActiveMs = new Map<T, number>();

  /** Number of items. */
  get size(): number {
    return this.#lastActiveMs.size;
  }

  /** Notes activity at `nowMs`; returns true if the item is new. */
  touch(item: T, nowMs: number): boolean {
    const known = this.#lastActiveMs.delete(item);
    this.#lastActiveMs.set(item, nowMs);
    return !known;
  }

  /** Forgets an item. */
  remove(item: T): void {
    this.#lastActiveMs.delete(item);
  }

  /** The items last active at `untilMs` or before, and beyond those the oldest ones above `maxSize`; the longest idle first; `limit` items at most. */
  due(untilMs: number, maxSize: number, limit = Number.POSITIVE_INFINITY): readonly T[] {
    const due: T[] = [];
    for (const [item, activeMs] of this.#lastActiveMs) {
      if (due.length >= limit || (activeMs > untilMs && this.#lastActiveMs.size - due.length <= maxSize)) break;
      due.push(item);
    }
    return due;
  }
}
