/**
 * Lets attempts that must have no other suspect beside them take turns: one at a time on a node. Owns the queue; when an attempt's turn has come, who asked
 * is told, and the next one's comes when it leaves. Its bound is that of the attempts under way.
 */

/** The turns of one node. */
export class SolitaryTurns {
  /** Who waits, and how to tell them, oldest first. */
  readonly #waiting = new Map<string, () => void>();
  #current: string | undefined;

  /** Asks for a turn: `begin` is called once it has come, perhaps at once. Asking again during the turn begins it again. */
  ask(id: string, begin: () => void): void {
    if (this.#current === id) return begin();
    this.#waiting.set(id, begin);
    this.#next();
  }

  /** Ends a turn, or the wait for one; without either it does nothing. */
  leave(id: string): void {
    this.#waiting.delete(id);
    if (this.#current !== id) return;
    this.#current = undefined;
    this.#next();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    for (const [id, begin] of this.#waiting) {
      this.#waiting.delete(id);
      this.#current = id;
      return begin();
    }
  }
}
