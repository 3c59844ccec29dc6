/**
 * The records that a task ledger has still to store: one for each attempt, the last one noted. Bounded. Pure.
 */
import type { AttemptRecord } from "./task-ledger.ts";

/** The buffer. */
export class AttemptBuffer {
  readonly #capacity: number;
  #records = new Map<string, AttemptRecord>();
  #dropped = 0;

  /** `capacity`: attempts that it holds at most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Attempts that wait. */
  get size(): number {
    return this.#records.size;
  }

  /** Records that were dropped: there was no room for them, or they could not be stored. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Notes a record in place of an earlier one of the same attempt. Answers false if there was no room for it. */
  add(record: AttemptRecord): boolean {
    const key = keyOf(record);
    if (this.#records.size >= this.#capacity && !this.#records.has(key)) {
      this.#dropped++;
      return false;
    }
    this.#records.set(key, record);
    return true;
  }

  /** Counts records that were taken out and can't be stored. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** Takes the oldest records out, at most `limit`. */
  take(limit: number): readonly AttemptRecord[] {
    const taken: AttemptRecord[] = [];
    for (const [key, record] of this.#records) {
      if (taken.length >= limit) break;
      taken.push(record);
      this.#records.delete(key);
    }
    return taken;
  }

  /** Puts records back that could not be stored, except those that a later record has replaced meanwhile. */
  putBack(records: readonly AttemptRecord[]): void {
    for (const record of records) if (!this.#records.has(keyOf(record))) this.add(record);
  }
}

function keyOf({ runId, frame, attempt }: AttemptRecord): string {
  return `${runId}/${frame}/${attempt}`;
}
