/**
 * What a newer version of the program writes, for tests of what this one does with it.
 */
import assert from "node:assert/strict";
import type { RunId } from "../../runtime/ids.ts";
import { journalChecksum } from "../../runtime/storage/journal-checksum.ts";
import type { MemoryRow } from "../../runtime/storage/memory-store.ts";
import type { Store } from "./runs-node.ts";

/** An entry of a kind that no program knows: field 30, empty. */
const UNKNOWN_ENTRY = new Uint8Array([0x0a, 0x03, 0xf2, 0x01, 0x00]);

/** Adds an entry to a run's history as a newer program does. The returned function takes it away again, which is how it reads to that program. */
export function writeNewer(store: Pick<Store, "memory">, runId: RunId, entry: Uint8Array = UNKNOWN_ENTRY): () => void {
  const rows = rowsOf(store, runId);
  const { firstSeq, entryCount } = rows.at(-1) as MemoryRow;
  return replaceRows(store, runId, [...rows, newerRow(runId, rows[0] as MemoryRow, firstSeq + entryCount, entry)]);
}

/** Makes a run's whole history one of a newer program. The returned function makes it readable again. */
export function writeAllNewer(store: Pick<Store, "memory">, runId: RunId): () => void {
  return replaceRows(store, runId, [newerRow(runId, rowsOf(store, runId)[0] as MemoryRow, 1, UNKNOWN_ENTRY)]);
}

function rowsOf({ memory }: Pick<Store, "memory">, runId: RunId): MemoryRow[] {
  const rows = memory.rows.get(runId) ?? [];
  assert.ok(rows.length > 0, "the run has a history");
  return rows;
}

function newerRow(runId: RunId, like: MemoryRow, firstSeq: number, entries: Uint8Array): MemoryRow {
  return { ...like, firstSeq, entryCount: 1, entries, checksum: journalChecksum(runId, firstSeq, 1, [entries]) };
}

function replaceRows(store: Pick<Store, "memory">, runId: RunId, rows: MemoryRow[]): () => void {
  const before = rowsOf(store, runId);
  store.memory.rows.set(runId, rows);
  return () => void store.memory.rows.set(runId, before);
}
