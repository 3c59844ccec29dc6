/**
 * Lets suspects of lost nodes take turns: each is executed beside as few others as it asks for. Owns who waits and whose turn it is; those that may have the
 * most beside them go first, so that the most suspicious come last and wait for the others. Its bound is that of the attempts under way.
 */

/** The turns of one node. A *width* says how many may have their turn at the same time, who asks included. There are few different ones. */
export class SuspectTurns {
  /** Who waits, by width, the longest first. */
  readonly #waiting = new Map<number, Map<string, () => void>>();
  /** Whose turn it is, with their widths, and how many there are of each. */
  readonly #current = new Map<string, number>();
  readonly #counts = new Map<number, number>();

  /** Asks for a turn: `begin` is called once it has come, perhaps at once. Asking again during the turn begins it again. */
  ask(id: string, width: number, begin: () => void): void {
    if (this.#current.has(id)) return begin();
    // Who asks with another width waits with that one alone: in two queues it would have two turns, and only one would be ended.
    for (const [other, queue] of this.#waiting) if (other !== width) queue.delete(id);
    const queue = this.#waiting.get(width) ?? new Map<string, () => void>();
    this.#waiting.set(width, queue);
    queue.set(id, begin);
    this.#admit();
  }

  /** Ends a turn, or the wait for one; without either it does nothing. */
  leave(id: string): void {
    for (const queue of this.#waiting.values()) queue.delete(id);
    const width = this.#current.get(id);
    if (width === undefined) return;
    this.#current.delete(id);
    this.#counts.set(width, (this.#counts.get(width) ?? 0) - 1);
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [id, width, begin] = next;
      this.#waiting.get(width)?.delete(id);
      this.#current.set(id, width);
      this.#counts.set(width, (this.#counts.get(width) ?? 0) + 1);
      begin();
    }
  }

  /** Who asks for the least seclusion of those who wait, the longest first; undefined if it has to go on waiting. */
  #next(): [string, number, () => void] | undefined {
    let widest = 0;
    for (const [width, queue] of this.#waiting) if (queue.size > 0) widest = Math.max(widest, width);
    if (!this.#isRoomFor(widest)) return undefined;
    for (const [id, begin] of this.#waiting.get(widest) ?? []) return [id, widest, begin];
    return undefined;
  }

  /** Those without a bound mind nobody, and nobody minds them, but those that want to be alone. */
  #isRoomFor(asked: number): boolean {
    let others = 0;
    let bound = asked;
    for (const [width, count] of this.#counts) {
      if (count === 0) continue;
      if (width === 1) return false;
      if (width === Number.POSITIVE_INFINITY && asked !== 1) continue;
      others += count;
      bound = Math.min(bound, width);
    }
    return asked === Number.POSITIVE_INFINITY || others < bound;
  }
}
