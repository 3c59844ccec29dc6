/**
 * The attempts of a node that wait for a slot, here or on another node: a line for each handler in each queue, so that whoever can execute some of them finds
 * those without looking at the others. Its bound is the lender's business.
 */
import { isBefore, type PendingAttempt } from "./pending-attempt.ts";
import { WaitingLine } from "./waiting-line.ts";

/** Which attempts somebody can execute. */
export type LineFilter = (queue: string, handler: string) => boolean;

/** What waits in one queue. */
export interface WaitingInQueue {
  readonly waiting: number;
  /** Since when the oldest has waited, on the monotonic clock. */
  readonly oldestSinceMs: number;
}

/** The backlog of one node. */
export class Backlog {
  readonly #lines = new Map<string, WaitingLine>();
  #size = 0;

  /** Attempts that wait. */
  get size(): number {
    return this.#size;
  }

  /** The lines that are not empty. */
  lines(): Iterable<WaitingLine> {
    return this.#lines.values();
  }

  /** Adds an attempt. Answers true if nothing waited in its queue before. */
  add(pending: PendingAttempt): boolean {
    const { queue, handler } = pending.attempt;
    const key = keyOf(queue, handler);
    const isFirst = !this.#lines.has(key) && ![...this.#lines.values()].some((line) => line.queue === queue);
    const line = this.#lines.get(key) ?? new WaitingLine(queue, handler);
    this.#lines.set(key, line);
    line.add(pending);
    this.#size += 1;
    return isFirst;
  }

  /** Takes an attempt out; false if it does not wait. */
  remove(pending: PendingAttempt): boolean {
    if (pending.place < 0) return false;
    const { queue, handler } = pending.attempt;
    const key = keyOf(queue, handler);
    const line = this.#lines.get(key);
    line?.remove(pending);
    if (line?.length === 0) this.#lines.delete(key);
    this.#size -= 1;
    return true;
  }

  /** The next attempt that somebody can execute; it stays. */
  next(canExecute: LineFilter): PendingAttempt | undefined {
    let next: PendingAttempt | undefined;
    for (const { queue, handler, first } of this.#lines.values()) {
      if (first === undefined || !canExecute(queue, handler)) continue;
      if (next === undefined || isBefore(first, next)) next = first;
    }
    return next;
  }

  /** How many attempts somebody can execute. */
  count(canExecute: LineFilter): number {
    let count = 0;
    for (const line of this.#lines.values()) if (canExecute(line.queue, line.handler)) count += line.length;
    return count;
  }

  /** What waits, by queue. */
  queues(): ReadonlyMap<string, WaitingInQueue> {
    const queues = new Map<string, WaitingInQueue>();
    for (const line of this.#lines.values()) {
      const { waiting, oldestSinceMs } = queues.get(line.queue) ?? { waiting: 0, oldestSinceMs: Number.POSITIVE_INFINITY };
      const oldest = line.all().reduce((least, { waitingSinceMs }) => Math.min(least, waitingSinceMs), oldestSinceMs);
      queues.set(line.queue, { waiting: waiting + line.length, oldestSinceMs: oldest });
    }
    return queues;
  }
}

function keyOf(queue: string, handler: string): string {
  return `${queue}\n${handler}`;
}
