/**
 * The time of a simulated world, and the only thing that makes anything happen in it: a queue of events, each at its moment, those of one moment in the order
 * in which they were put in. Between two events everything that the first one set off has come to rest.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";

/** A world in which so much happens has got into a circle. */
const MOST_EVENTS = 2_000_000;
/** Events for which one round of the event loop has turns: all promises come to rest between two turns, and a round costs more than a turn. */
const TURNS_AT_ONCE = 64;
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
  run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let isFirst = true;
      let isRunning = true;
      const step = (): void => {
        if (!isRunning) return;
        try {
          isRunning = (isFirst || !isOver()) && this.#step(untilMs);
          isFirst = false;
          if (!isRunning) resolve();
        } catch (error) {
          isRunning = false;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const go = (): void => {
        for (let turn = 0; turn < TURNS_AT_ONCE; turn += 1) setImmediate(step);
        setImmediate(() => isRunning && go());
      };
      go();
    });
  }

  /** Has the next event take place; answers false, and it is `untilMs`, if there is none until then. */
  #step(untilMs: number): boolean {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#shift();
    const event = this.#heap[0];
    if (event?.callback === undefined || event.dueMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#shift();
    if (++this.count > MOST_EVENTS) throw new Error(`${MOST_EVENTS} events have taken place by ${this.#nowMs} ms, and there is no end`);
    this.#nowMs = event.dueMs;
    event.callback();
    return true;
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
