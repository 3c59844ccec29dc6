/**
 * The task ledger in memory. It stores at once: being behind is a licence, not a duty.
 */
import type { MemoryStore } from "./memory-store.ts";
import type { AttemptRecord, TaskLedger } from "./task-ledger.ts";

/** The ledger. For tests and simulation. */
export class MemoryTaskLedger implements TaskLedger {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  record(attempt: AttemptRecord): void {
    this.#store.attempts.set(`${attempt.runId}/${attempt.frame}/${attempt.attempt}`, attempt);
  }

  async flush(): Promise<void> {
    // Nothing waits.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
