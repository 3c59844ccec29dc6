/**
 * The attempts of one handler that wait in one queue for one tier, as a heap: the one whose turn it is is known at once, and any can be taken out of
 * the middle.
 */
import type { Tier } from "../workers/pool.ts";
import { isBefore, type PendingAttempt } from "./pending-attempt.ts";

/** What the attempts of a line have in common. */
export interface LineName {
  readonly queue: string;
  readonly handler: string;
  readonly tier: Tier;
}

/** One line. An attempt is in at most one. */
export class WaitingLine implements LineName {
  readonly queue: string;
  readonly handler: string;
  readonly tier: Tier;
  /** Since when it has been known that no node can execute its attempts, on the monotonic clock. */
  hopelessSinceMs: number | undefined;
  readonly #heap: PendingAttempt[] = [];

  constructor({ queue, handler, tier }: LineName) {
    this.queue = queue;
    this.handler = handler;
    this.tier = tier;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** The one that is next. */
  get first(): PendingAttempt | undefined {
    return this.#heap[0];
  }

  /** Adds an attempt where its turn says. */
  add(pending: PendingAttempt): void {
    this.#heap.push(pending);
    this.#rise(this.#heap.length - 1, pending);
  }

  /** Takes an attempt out, which must be in. */
  remove(pending: PendingAttempt): void {
    const last = this.#heap.pop();
    const { place } = pending;
    pending.place = -1;
    if (last === undefined || last === pending) return;
    this.#sink(this.#rise(place, last), last);
  }

  /** All of them, in no order. */
  all(): readonly PendingAttempt[] {
    return this.#heap;
  }

  /** Puts an attempt at a place or nearer to the top; answers where it stands. */
  #rise(from: number, pending: PendingAttempt): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || !isBefore(pending, above)) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(pending, place);
    return place;
  }

  #sink(from: number, pending: PendingAttempt): void {
    let place = from;
    for (let child = this.#firstChild(place); child !== undefined && isBefore(child, pending); child = this.#firstChild(place)) {
      const next = child.place;
      this.#put(child, place);
      place = next;
    }
    this.#put(pending, place);
  }

  #firstChild(place: number): PendingAttempt | undefined {
    const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
    return left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
  }

  #put(pending: PendingAttempt, place: number): void {
    this.#heap[place] = pending;
    pending.place = place;
  }
}
