/** A run's rows as a store holds them, filed under any id. */
import type { Entry } from "../../../actors/run/core/entry.ts";
import { newRunId, type RunId, SHARD_COUNT, timeOf } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { journalChecksum } from "../../../runtime/storage/journal-checksum.ts";
import { type MemoryRow, type MemoryStore, timerName } from "../../../runtime/storage/memory-store.ts";
import type { StoredSnapshot } from "../../../runtime/storage/stored-rows.ts";
import type { Chance } from "../chance.ts";
import { bytesOf, type History } from "./histories.ts";

const STARTED_MS = Date.UTC(2026, 0, 1);

/** Its rows and its snapshots, the newest first. Damage changes both. */
export interface StoredRun {
  readonly runId: RunId;
  readonly history: History;
  rows: MemoryRow[];
  snapshots: StoredSnapshot[];
}

/** The history as rows of one turn or of several, with a snapshot or without. */
export function storedRun(history: History, chance: Chance): StoredRun {
  const seed = chance.below(2 ** 32);
  const runId = newRunId(chance.below(SHARD_COUNT), STARTED_MS, seededRandom(seed));
  const rows: MemoryRow[] = [];
  const snapshots: StoredSnapshot[] = [];
  let pending: Entry[] = [];
  let firstSeq = 1;
  for (const [at, turn] of history.turns.entries()) {
    pending.push(...turn.entries);
    if (at < history.turns.length - 1 && chance.oneIn(3)) continue;
    rows.push(sealed(runId, { firstSeq, entryCount: pending.length, entries: bytesOf(pending) }));
    firstSeq += pending.length;
    pending = [];
    if (turn.snapshot !== undefined && chance.oneIn(4)) snapshots.unshift(sealedSnapshot(runId, firstSeq - 1, turn.snapshot));
  }
  return { runId, history, rows, snapshots };
}

/** A row with the checksum that belongs to it. */
export function sealed(runId: RunId, row: Pick<MemoryRow, "firstSeq" | "entryCount" | "entries">): MemoryRow {
  return { ...row, epoch: 1, checksum: journalChecksum(runId, row.firstSeq, row.entryCount, [row.entries]) };
}

/** A snapshot with the checksum that belongs to it. */
export function sealedSnapshot(runId: RunId, seq: number, state: Uint8Array): StoredSnapshot {
  return { seq, state, checksum: journalChecksum(runId, seq, 0, [state]) };
}

/** Puts the run into a store. */
export function putRun(store: MemoryStore, { runId, history, rows, snapshots }: StoredRun): void {
  const common = { workflowId: history.workflowId, userId: "tester", labels: {}, createdAtMs: timeOf(runId), updatedAtMs: timeOf(runId) };
  store.runs.set(runId, { runId, ...common, ...history.head });
  store.rows.set(runId, rows);
  store.snapshots.set(runId, snapshots);
  for (const { timer, dueAtMs } of history.timers) {
    const row = { runId, timer, dueAtMs };
    store.timers.set(timerName(row), row);
  }
}
