/**
 * The time of a simulated world, and the only thing that makes anything happen in it: a queue of events, each at its moment, those of one moment in the order
 * in which they were put in. Between two events everything that the first one set off has come to rest.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { nextTurn } from "../support/next-turn.ts";

/** A world in which so much happens has got into a circle. */
const MOST_EVENTS = 2_000_000;
const START_MS = Date.UTC(2026, 0, 1);

interface Event {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** True time, which no node knows. */
export class WorldTime implements Clock {
  /** A binary heap, the next event first. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;
  /** Events that took place. */
  count = 0;

  now(): number {
    return Math.floor(START_MS + this.#nowMs);
  }

  /** Milliseconds since the world began. */
  monotonic(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const event: Event = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#push(event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Resolves after a time. */
  pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(durationMs, resolve));
  }

  /** Lets things happen until a moment, or until `isOver` says so, which is asked after each. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.dueMs <= untilMs; event = this.#heap[0]) {
      this.#shift();
      if (event.callback === undefined) continue;
      if (++this.count > MOST_EVENTS) throw new Error(`${MOST_EVENTS} events have taken place by ${this.#nowMs} ms, and there is no end`);
      this.#nowMs = event.dueMs;
      event.callback();
      await nextTurn();
      if (isOver()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[place] = heap[child] as Event;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
