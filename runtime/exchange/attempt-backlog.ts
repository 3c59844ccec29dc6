/**
 * The attempts of a node that wait for a slot, here or on another node: a line for each handler in each queue and tier, so that whoever can execute
 * some of them finds those without looking at the others. What it says of its queues it has counted. Its bound is the lender's business: what comes
 * back always has a place.
 */
import { isBefore, type PendingAttempt } from "./pending-attempt.ts";
import type { ByTier } from "./slots.ts";
import { type LineName, WaitingLine } from "./waiting-line.ts";

/** Which attempts somebody can execute. */
export type LineFilter = (line: LineName) => boolean;

/** What waits in one queue. */
export interface WaitingInQueue {
  readonly waiting: number;
  /** How many of them are for child processes. */
  readonly processWaiting: number;
  /** Since when the oldest has waited, on the monotonic clock. */
  readonly oldestSinceMs: number;
}

/** The attempts of one queue, in the order in which they began to wait. */
interface WaitingQueue {
  readonly attempts: Set<PendingAttempt>;
  processWaiting: number;
}

/** The backlog of one node. */
export class AttemptBacklog {
  readonly #lines = new Map<string, WaitingLine>();
  readonly #queues = new Map<string, WaitingQueue>();
  #size = 0;

  /** Attempts that wait. */
  get size(): number {
    return this.#size;
  }

  /** Attempts that wait in a queue. */
  sizeOf(queue: string): number {
    return this.#queues.get(queue)?.attempts.size ?? 0;
  }

  /** How many queues are not empty. */
  get queueCount(): number {
    return this.#queues.size;
  }

  /** The lines that are not empty. */
  lines(): Iterable<WaitingLine> {
    return this.#lines.values();
  }

  /** Adds an attempt. Answers true if nothing waited in its line before. */
  add(pending: PendingAttempt): boolean {
    const name = nameOf(pending);
    const key = keyOf(name);
    const line = this.#lines.get(key) ?? new WaitingLine(name);
    this.#lines.set(key, line);
    line.add(pending);
    const queue = this.#queues.get(name.queue) ?? { attempts: new Set(), processWaiting: 0 };
    this.#queues.set(name.queue, queue);
    queue.attempts.add(pending);
    if (name.tier === "process") queue.processWaiting += 1;
    this.#size += 1;
    return line.length === 1;
  }

  /** Takes an attempt out; false if it does not wait. */
  remove(pending: PendingAttempt): boolean {
    if (pending.place < 0) return false;
    const name = nameOf(pending);
    const key = keyOf(name);
    const [line, queue] = [this.#lines.get(key), this.#queues.get(name.queue)];
    line?.remove(pending);
    if (line?.length === 0) this.#lines.delete(key);
    queue?.attempts.delete(pending);
    if (queue?.attempts.size === 0) this.#queues.delete(name.queue);
    else if (queue !== undefined && name.tier === "process") queue.processWaiting -= 1;
    this.#size -= 1;
    return true;
  }

  /** The next attempt that somebody can execute; it stays. */
  next(canExecute: LineFilter): PendingAttempt | undefined {
    let next: PendingAttempt | undefined;
    for (const line of this.#lines.values()) {
      const { first } = line;
      if (first === undefined || !canExecute(line)) continue;
      if (next === undefined || isBefore(first, next)) next = first;
    }
    return next;
  }

  /** How many attempts somebody can execute. */
  count(canExecute: LineFilter): ByTier {
    const counts = { thread: 0, process: 0 };
    for (const line of this.#lines.values()) if (canExecute(line)) counts[line.tier] += line.length;
    return counts;
  }

  /** What waits, by queue. */
  queues(): ReadonlyMap<string, WaitingInQueue> {
    return new Map([...this.#queues].map(([name, queue]) => [name, loadOf(queue)]));
  }
}

function loadOf({ attempts, processWaiting }: WaitingQueue): WaitingInQueue {
  const [oldest] = attempts;
  return { waiting: attempts.size, processWaiting, oldestSinceMs: oldest?.waitingSinceMs ?? 0 };
}

function nameOf({ attempt: { queue, handler }, tier }: PendingAttempt): LineName {
  return { queue, handler, tier };
}

function keyOf({ queue, handler, tier }: LineName): string {
  return `${queue}\n${handler}\n${tier}`;
}
