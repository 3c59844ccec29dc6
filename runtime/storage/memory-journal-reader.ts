/**
 * The reading half of the journal in memory.
 */
import { type RunId, shardOf } from "../ids.ts";
import {
  ENDED,
  type JournalRow,
  type RunFilter,
  type RunRecord,
  type RunTimer,
  type ShardRange,
  type Snapshot,
  WAKE,
  type WakeAudit,
} from "./journal.ts";
import type { JournalReader } from "./laned-journal.ts";
import type { MemoryRun, MemoryStore } from "./memory-store.ts";
import { newestIntact, verifyRows } from "./stored-rows.ts";

/** Findings that an audit names at most. */
const AUDIT_FINDINGS = 100;

/** The reader. */
export class MemoryJournalReader implements JournalReader {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async read(runId: RunId, fromSeq: number, rowLimit: number): Promise<readonly JournalRow[]> {
    const rows = this.#store.rows.get(runId) ?? [];
    const first = rows.findLastIndex((row) => row.firstSeq <= fromSeq);
    return verifyRows(runId, fromSeq, rows.slice(Math.max(first, 0), Math.max(first, 0) + rowLimit));
  }

  async readSnapshot(runId: RunId, atMostSeq: number): Promise<Snapshot | undefined> {
    const snapshots = this.#store.snapshots.get(runId) ?? [];
    return newestIntact(
      runId,
      snapshots.filter(({ seq }) => seq <= atMostSeq),
    );
  }

  async find(runId: RunId): Promise<RunRecord | undefined> {
    const run = this.#store.runs.get(runId);
    return run === undefined ? undefined : recordOf(run);
  }

  async findByKey(idempotencyKey: string): Promise<RunId | undefined> {
    return this.#store.keys.get(idempotencyKey);
  }

  async list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]> {
    const { workflowIds, statuses, createdAfterMs = 0, createdBeforeMs = Number.POSITIVE_INFINITY } = filter;
    return this.#sorted(
      (run) =>
        (workflowIds?.includes(run.workflowId) ?? true) &&
        (statuses?.includes(run.status) ?? true) &&
        run.createdAtMs >= createdAfterMs &&
        run.createdAtMs < createdBeforeMs &&
        (after === undefined || run.runId < after),
    )
      .reverse()
      .slice(0, limit)
      .map(recordOf);
  }

  async listReady(shards: ShardRange, limit: number, after?: RunId): Promise<readonly RunId[]> {
    return this.#sorted((run) => isReady(run) && isIn(run.runId, shards) && (after === undefined || run.runId > after))
      .slice(0, limit)
      .map((run) => run.runId);
  }

  async listTimers(shards: ShardRange, dueBeforeMs: number, limit: number): Promise<readonly RunTimer[]> {
    return [...this.#store.timers.values()]
      .filter((timer) => timer.dueAtMs < dueBeforeMs && isIn(timer.runId, shards))
      .sort((a, b) => a.dueAtMs - b.dueAtMs || (a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : a.timer - b.timer))
      .slice(0, limit);
  }

  async audit(shards: ShardRange, graceMs: number, limit: number): Promise<WakeAudit> {
    const settledMs = this.#store.clock.now() - graceMs;
    const timers = [...this.#store.timers.values()];
    const waiting = new Set(timers.map((timer) => timer.runId));
    const overdue = new Set(timers.filter((timer) => timer.dueAtMs < settledMs).map((timer) => timer.runId));
    const candidates = this.#sorted(
      (run) => isIn(run.runId, shards) && run.updatedAtMs < settledMs && !ENDED.has(run.status) && run.status !== "quarantined",
    );
    const isStuck = (run: MemoryRun): boolean => run.wake === 0 || (run.wake === WAKE.timer && !waiting.has(run.runId)) || overdue.has(run.runId);
    return {
      withoutWake: idsOf(candidates.filter(isStuck), AUDIT_FINDINGS),
      ready: idsOf(candidates.filter(isReady), limit),
    };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** Runs that match, in order of id. */
  #sorted(matches: (run: MemoryRun) => boolean): MemoryRun[] {
    return [...this.#store.runs.values()].filter(matches).sort((a, b) => (a.runId < b.runId ? -1 : 1));
  }
}

function idsOf(runs: readonly MemoryRun[], limit: number): readonly RunId[] {
  return runs.slice(0, limit).map((run) => run.runId);
}

function isReady(run: MemoryRun): boolean {
  return (run.wake & WAKE.ready) !== 0;
}

function isIn(runId: RunId, { first, last }: ShardRange): boolean {
  const shard = shardOf(runId);
  return shard >= first && shard <= last;
}

function recordOf({ updatedAtMs: _, ...record }: MemoryRun): RunRecord {
  return record;
}
