/**
 * Deadlines of very many waits, of which nearly all end early. Waits that are due at about the same time share one timer of the clock, and
 * joining and leaving is O(1). The price is precision: a wait ends up to 1/64 of its length late, or 1 ms if that is more.
 */
import { invariant } from "../assert.ts";
import type { CancelTimer, Clock } from "../clock.ts";

/** Waits are not told apart beyond this; it keeps shifts within 31 bits. */
const LONGEST_TOLD_APART_MS = 2 ** 30;

/** A wait: a link in the list of those that are due together. Only {@link Deadlines} writes its fields. */
export abstract class Deadline {
  previous: Deadline | undefined = undefined;
  next: Deadline | undefined = undefined;
  bucket: Bucket | undefined = undefined;

  /** Called once when the wait is over and was not removed before. */
  abstract onDue(): void;
}

/** Waits that are due together. */
interface Bucket {
  first: Deadline | undefined;
  readonly cancel: CancelTimer;
}

/** All deadlines of one owner. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a wait of `timeoutMs`, more than 0. */
  add(deadline: Deadline, timeoutMs: number): void {
    invariant(timeoutMs > 0 && Number.isFinite(timeoutMs), `a timeout must be more than 0 ms, not ${timeoutMs}`);
    const nowMs = this.#clock.monotonic();
    const grainMs = grainOf(timeoutMs);
    const dueMs = Math.ceil((nowMs + timeoutMs) / grainMs) * grainMs;
    const bucket = this.#buckets.get(dueMs) ?? this.#open(dueMs, nowMs);
    deadline.bucket = bucket;
    deadline.next = bucket.first;
    if (bucket.first !== undefined) bucket.first.previous = deadline;
    bucket.first = deadline;
  }

  /** Ends a wait early. Does nothing if it has ended. */
  remove(deadline: Deadline): void {
    const { bucket, previous, next } = deadline;
    if (bucket === undefined) return;
    if (previous === undefined) bucket.first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    deadline.bucket = undefined;
    deadline.previous = undefined;
    deadline.next = undefined;
  }

  /** Cancels all timers, and ends every wait with `onEnd` instead of its own `onDue`. */
  stop(onEnd: (deadline: Deadline) => void): void {
    for (const bucket of this.#buckets.values()) {
      bucket.cancel();
      this.#end(bucket, onEnd);
    }
    this.#buckets.clear();
  }

  #open(dueMs: number, nowMs: number): Bucket {
    const bucket: Bucket = { first: undefined, cancel: this.#clock.schedule(dueMs - nowMs, () => this.#fire(dueMs, bucket)) };
    this.#buckets.set(dueMs, bucket);
    return bucket;
  }

  #fire(dueMs: number, bucket: Bucket): void {
    this.#buckets.delete(dueMs);
    this.#end(bucket, (deadline) => deadline.onDue());
  }

  #end(bucket: Bucket, onEnd: (deadline: Deadline) => void): void {
    for (let due = bucket.first; due !== undefined; due = bucket.first) {
      this.remove(due);
      onEnd(due);
    }
  }
}

/** The step in which waits of about this length are told apart: the largest power of two that is at most 1/64 of it. */
function grainOf(timeoutMs: number): number {
  const exponent = 31 - Math.clz32(Math.min(timeoutMs, LONGEST_TOLD_APART_MS));
  return 1 << Math.max(exponent - 6, 0);
}
