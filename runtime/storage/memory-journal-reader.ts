/**
 * The reading half of the journal in memory.
 */
import { type BootId, type RunId, shardOf } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import {
  ENDED,
  type JournalRow,
  NIL_RUN_ID,
  type RunFilter,
  type RunRecord,
  type RunTimer,
  type Standing,
  TIMED_PER_AUDIT,
  WAKE,
  type WakeAudit,
} from "./journal.ts";
import type { JournalReader } from "./laned-journal.ts";
import type { MemoryRun, MemoryStore } from "./memory-store.ts";
import type { ShardSet } from "./shard-set.ts";
import { type StoredPayload, type StoredSnapshot, type StoredTail, type TailPart, verifyRows } from "./stored-rows.ts";

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

  async readSnapshots(runId: RunId, atMostSeq: number): Promise<readonly StoredSnapshot[]> {
    return (this.#store.snapshots.get(runId) ?? []).filter(({ seq }) => seq <= atMostSeq);
  }

  async findPayload(runId: RunId, seq: number, place: number): Promise<StoredPayload | undefined> {
    return this.#store.payloads.get(`${runId}/${seq}/${place}`);
  }

  async findAll(runIds: readonly RunId[]): Promise<ReadonlyMap<RunId, RunRecord>> {
    const found = runIds.map((runId) => this.#store.runs.get(runId)).filter((run) => run !== undefined);
    return new Map(found.map((run) => [run.runId, recordOf(run)]));
  }

  async readTails(runIds: readonly RunId[], bootId: BootId): Promise<ReadonlyMap<RunId, StoredTail>> {
    let total = 0;
    return new Map(
      runIds.map((runId) => {
        const parts = this.#tailOf(runId).map(({ bytes, ...part }): TailPart => {
          total += bytes.length;
          return total > LIMITS.tailBytesPerQuery ? part : { ...part, bytes };
        });
        return [runId, { standing: this.#standingOf(bootId, runId), parts }];
      }),
    );
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

  async listReady(shards: ShardSet, limit: number, after?: RunId): Promise<readonly RunId[]> {
    return this.#sorted((run) => isReady(run) && shards.has(shardOf(run.runId)) && (after === undefined || run.runId > after))
      .slice(0, limit)
      .map((run) => run.runId);
  }

  async listTimers(shards: ShardSet, dueBeforeMs: number, limit: number, after?: RunTimer): Promise<readonly RunTimer[]> {
    return [...this.#store.timers.values()]
      .filter((timer) => timer.dueAtMs < dueBeforeMs && shards.has(shardOf(timer.runId)) && (after === undefined || byTime(timer, after) > 0))
      .filter(({ runId }) => this.#store.runs.get(runId)?.status !== "quarantined")
      .sort(byTime)
      .slice(0, limit);
  }

  async audit(shards: ShardSet, graceMs: number, limit: number, after: RunId = NIL_RUN_ID): Promise<WakeAudit> {
    const settledMs = this.#store.clock.now() - graceMs;
    const timers = [...this.#store.timers.values()];
    const withTimer = new Set(timers.map((timer) => timer.runId));
    const overdue = new Set(timers.filter((timer) => timer.dueAtMs < settledMs).map((timer) => timer.runId));
    const timed = this.#sorted((run) => (run.wake & WAKE.timer) !== 0 && run.runId > after).slice(0, Math.min(limit, TIMED_PER_AUDIT));
    const next = timed.length < Math.min(limit, TIMED_PER_AUDIT) ? undefined : timed.at(-1)?.runId;
    const lost = new Set(timed.map((run) => run.runId).filter((runId) => !withTimer.has(runId)));
    const candidates = this.#sorted(
      (run) => shards.has(shardOf(run.runId)) && run.updatedAtMs < settledMs && !ENDED.has(run.status) && run.status !== "quarantined",
    );
    return {
      withoutWake: candidates.filter(({ wake, runId }) => wake === 0 || overdue.has(runId) || lost.has(runId)).map(({ runId }) => runId),
      ready: candidates
        .filter(isReady)
        .slice(0, limit)
        .map(({ runId }) => runId),
      ...(next !== undefined && { next }),
    };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #standingOf(bootId: BootId, runId: RunId): Standing {
    if (this.#store.nodes.get(bootId)?.isFenced !== false) return "fenced";
    return this.#store.shards.get(shardOf(runId))?.owner === bootId ? "owner" : "moved";
  }

  #tailOf(runId: RunId): Required<TailPart>[] {
    const newest = this.#store.snapshots.get(runId)?.at(0);
    const rows = this.#store.rows.get(runId) ?? [];
    const begin = Math.max(
      rows.findLastIndex((row) => row.firstSeq <= (newest?.seq ?? 0) + 1),
      0,
    );
    return [
      ...(newest === undefined ? [] : [{ seq: newest.seq, entryCount: 0, checksum: newest.checksum, bytes: newest.state }]),
      ...rows.slice(begin, begin + LIMITS.rowsPerTail).map(({ firstSeq, entries, ...row }) => ({ ...row, seq: firstSeq, bytes: entries })),
    ];
  }

  /** Runs that match, in order of id. */
  #sorted(matches: (run: MemoryRun) => boolean): MemoryRun[] {
    return [...this.#store.runs.values()].filter(matches).sort((a, b) => (a.runId < b.runId ? -1 : 1));
  }
}

function byTime(a: RunTimer, b: RunTimer): number {
  return a.dueAtMs - b.dueAtMs || (a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : a.timer - b.timer);
}

function isReady(run: MemoryRun): boolean {
  return (run.wake & WAKE.ready) !== 0;
}

function recordOf({ updatedAtMs: _, ...record }: MemoryRun): RunRecord {
  return record;
}
