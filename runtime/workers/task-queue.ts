/**
 * Items that wait, the more urgent first, and none for ever. Adding, taking, and taking out of the middle cost the same however many there are. The bound
 * of its length is its owner's business.
 *
 * Of two items the one with the earlier turn goes first ({@link turnOf}); of two with the same turn, the more urgent one.
 */
import { invariant } from "../assert.ts";
import { LAST_PRIORITY, turnOf } from "./scheduling.ts";

/** The queue. An item is in it at most once. */
export class TaskQueue<T extends object> {
  readonly #lines: readonly Line<T>[] = Array.from({ length: LAST_PRIORITY }, () => new Line<T>());
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds an item that arrives at `nowMs`, which never goes back, with a priority from 1 to {@link LAST_PRIORITY}. */
  push(item: T, priority: number, nowMs: number): void {
    const line = this.#lines[priority - 1];
    invariant(line !== undefined, `${priority} is a priority`);
    line.push(item, turnOf(priority, nowMs));
    this.#length += 1;
  }

  /** Takes the item out whose turn it is. */
  shift(): T | undefined {
    let next: Line<T> | undefined;
    for (const line of this.#lines) if (line.turnMs < (next?.turnMs ?? Number.POSITIVE_INFINITY)) next = line;
    const item = next?.head;
    if (item !== undefined) this.remove(item);
    return item;
  }

  /** Takes an item out; false if it was not there. */
  remove(item: T): boolean {
    if (!this.#lines.some((line) => line.remove(item))) return false;
    this.#length -= 1;
    return true;
  }
}

/** The items of one priority, in the order of their arrival. */
class Line<T extends object> {
  readonly #turns = new Map<T, number>();
  /** Kept alive across calls: a fresh iterator would walk over everything that was removed at the front. */
  #iterator = this.#turns.keys();
  #head: T | undefined;

  /** The item that arrived first. */
  get head(): T | undefined {
    if (this.#head === undefined && this.#turns.size > 0) this.#head = this.#iterator.next().value;
    return this.#head;
  }

  /** When it is its turn; Infinity if there is none. */
  get turnMs(): number {
    const { head } = this;
    return (head && this.#turns.get(head)) ?? Number.POSITIVE_INFINITY;
  }

  push(item: T, turnMs: number): void {
    this.#turns.set(item, turnMs);
  }

  remove(item: T): boolean {
    if (this.#head === item) this.#head = undefined;
    return this.#turns.delete(item);
  }
}
