/**
 * Timers in order of their due time: a binary heap with removal by key. Pure but for being mutable.
 */

/** Something that falls due. */
export interface Due<K> {
  readonly key: K;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
}

/** The queue. A key stands in it once at most. */
export class DueQueue<K> {
  readonly #heap: Due<K>[] = [];
  readonly #dueAtMs = new Map<K, number>();

  /** Number of keys. */
  get size(): number {
    return this.#dueAtMs.size;
  }

  /** All keys, in no order. Keys may be taken out meanwhile. */
  keys(): Iterable<K> {
    return this.#dueAtMs.keys();
  }

  /** Adds a key, or changes when it is due. */
  set(key: K, dueAtMs: number): void {
    if (this.#dueAtMs.get(key) === dueAtMs) return;
    this.#dueAtMs.set(key, dueAtMs);
    this.#heap.push({ key, dueAtMs });
    this.#up(this.#heap.length - 1);
  }

  /** Takes a key out. Its place in the heap is cleared when it comes to the top, or when such places outnumber the others. */
  delete(key: K): void {
    if (!this.#dueAtMs.delete(key)) return;
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#dueAtMs.size) this.#rebuild();
  }

  /** When the next key is due, or undefined. */
  nextDueAtMs(): number | undefined {
    this.#dropStale();
    return this.#heap[0]?.dueAtMs;
  }

  /** Takes out the next key if it is due at `nowMs`. */
  take(nowMs: number): K | undefined {
    this.#dropStale();
    const [top] = this.#heap;
    if (top === undefined || top.dueAtMs > nowMs) return undefined;
    this.#pop();
    this.#dueAtMs.delete(top.key);
    return top.key;
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top !== undefined && this.#dueAtMs.get(top.key) !== top.dueAtMs; top = this.#heap[0]) this.#pop();
  }

  #rebuild(): void {
    const live = [...this.#dueAtMs].map(([key, dueAtMs]) => ({ key, dueAtMs }));
    live.sort((a, b) => a.dueAtMs - b.dueAtMs);
    this.#heap.splice(0, this.#heap.length, ...live);
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#dueAt(parent) <= this.#dueAt(at)) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  #down(start: number): void {
    for (let at = start; ; ) {
      const left = 2 * at + 1;
      const least = left + 1 < this.#heap.length && this.#dueAt(left + 1) < this.#dueAt(left) ? left + 1 : left;
      if (least >= this.#heap.length || this.#dueAt(at) <= this.#dueAt(least)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #dueAt(index: number): number {
    return (this.#heap[index] as Due<K>).dueAtMs;
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a] as Due<K>;
    this.#heap[a] = this.#heap[b] as Due<K>;
    this.#heap[b] = held;
  }
}
