/**
 * Retention in memory.
 */
import { type RunId, timeOf } from "../ids.ts";
import { NIL_RUN_ID } from "./journal.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Retention, RetentionPage } from "./retention.ts";

/** Removal of what is old. For tests and simulation. */
export class MemoryRetention implements Retention {
  readonly #store: MemoryStore;
  readonly #objects: ObjectStore | undefined;

  constructor(store: MemoryStore, objects?: ObjectStore) {
    this.#store = store;
    this.#objects = objects;
  }

  async removeRuns(endedBeforeMs: number, limit: number, after: RunId = NIL_RUN_ID): Promise<RetentionPage<RunId>> {
    const page = [...this.#store.runs.keys()]
      .filter((runId) => runId > after && timeOf(runId) < endedBeforeMs)
      .sort()
      .slice(0, limit);
    const over = page.filter((runId) => (this.#store.runs.get(runId)?.endedAtMs ?? endedBeforeMs) < endedBeforeMs);
    for (const runId of over) await this.#remove(runId);
    const next = page.length < limit ? undefined : page.at(-1);
    return { removed: over.length, ...(next !== undefined && { next }) };
  }

  async removeKeys(limit: number, after = ""): Promise<RetentionPage<string>> {
    const { keys, runs } = this.#store;
    const page = [...keys.keys()]
      .filter((key) => key > after)
      .sort()
      .slice(0, limit);
    const over = page.filter((key) => !runs.has(keys.get(key) ?? NIL_RUN_ID));
    for (const key of over) keys.delete(key);
    const next = page.length < limit ? undefined : page.at(-1);
    return { removed: over.length, ...(next !== undefined && { next }) };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  async #remove(runId: RunId): Promise<void> {
    await this.#objects?.removeRun(runId);
    const { runs, rows, snapshots, payloads, timers, attempts } = this.#store;
    for (const byRun of [runs, rows, snapshots]) byRun.delete(runId);
    for (const named of [payloads, timers, attempts]) {
      for (const key of named.keys()) if (key.startsWith(`${runId}/`)) named.delete(key);
    }
  }
}
