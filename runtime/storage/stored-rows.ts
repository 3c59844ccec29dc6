/**
 * Judges stored rows of a run's history before anyone reads them. Pure.
 */
import { MaestroError } from "../errors.ts";
import type { RunId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { JournalRow, RunTail, Snapshot, Standing } from "./journal.ts";
import { journalChecksum } from "./journal-checksum.ts";

/** A row as it lies in the store. */
export interface StoredRow extends JournalRow {
  readonly entryCount: number;
  /** See {@link journalChecksum}. */
  readonly checksum: number;
}

/**
 * The rows from the one that holds `fromSeq`. `stored` may begin with one row that ends before it.
 *
 * @throws JOURNAL_CORRUPT a checksum differs, or entries are missing.
 */
export function verifyRows(runId: RunId, fromSeq: number, stored: readonly StoredRow[]): readonly JournalRow[] {
  const rows: JournalRow[] = [];
  let expected: number | undefined;
  for (const { firstSeq, entryCount, checksum, entries } of stored) {
    const isFirst = expected === undefined;
    if (isFirst ? firstSeq > fromSeq : firstSeq !== expected) {
      throw corrupt(runId, expected ?? fromSeq, `it is missing; the next row begins at ${firstSeq}`);
    }
    expected = firstSeq + entryCount;
    if (expected <= fromSeq) continue;
    if (journalChecksum(runId, firstSeq, entryCount, [entries]) !== checksum) throw corrupt(runId, firstSeq, "its checksum differs");
    rows.push({ firstSeq, entries });
  }
  return rows;
}

/** A snapshot as it lies in the store. */
export interface StoredSnapshot extends Snapshot {
  readonly checksum: number;
}

/** Whether the checksum of a snapshot's bytes holds. */
export function isSnapshotIntact(runId: RunId, { seq, state, checksum }: StoredSnapshot): boolean {
  return journalChecksum(runId, seq, 0, [state]) === checksum;
}

/** A snapshot, or a row, as a shared reading brings it: runs with little to read share one, and those with much are cut off. */
export interface TailPart {
  /** Of a snapshot the last entry that it contains, of a row its first. */
  readonly seq: number;
  /** 0: this is a snapshot. */
  readonly entryCount: number;
  readonly checksum: number;
  /** Absent if the shared reading had no room for it. */
  readonly bytes?: Uint8Array;
}

/** What a shared reading brings of one run. */
export interface StoredTail {
  readonly standing: Standing;
  /** None: there is no such run. */
  readonly parts: readonly TailPart[];
}

/**
 * The tail of a run out of its parts: the newest snapshot first, if it has one, and then at most `LIMITS.rowsPerTail` rows. Undefined if they are of no use
 * because the snapshot is damaged or was cut off.
 *
 * @throws JOURNAL_CORRUPT a checksum differs, or entries are missing.
 */
export function tailOf(runId: RunId, { standing, parts }: StoredTail): RunTail | undefined {
  const [first] = parts;
  const isSnapshot = first?.entryCount === 0;
  const snapshot = isSnapshot && first.bytes !== undefined ? { seq: first.seq, checksum: first.checksum, state: first.bytes } : undefined;
  if (isSnapshot && (snapshot === undefined || !isSnapshotIntact(runId, snapshot))) return undefined;
  const rows = isSnapshot ? parts.slice(1) : parts;
  const room = rows.findIndex((row) => row.bytes === undefined);
  const stored = (room < 0 ? rows : rows.slice(0, room)).map(({ seq, bytes, ...row }) => ({ ...row, firstSeq: seq, entries: bytes as Uint8Array }));
  return {
    standing,
    ...(snapshot && { snapshot: { seq: snapshot.seq, state: snapshot.state } }),
    rows: verifyRows(runId, (snapshot?.seq ?? 0) + 1, stored),
    isWhole: room < 0 && rows.length < LIMITS.rowsPerTail,
  };
}

/** A payload as it lies in the store. */
export interface StoredPayload {
  /** Empty if an object holds the payload. */
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly objectName?: string;
}

/** Whether the checksum of a payload's bytes holds. */
export function isIntact(runId: RunId, seq: number, place: number, { bytes, checksum }: StoredPayload): boolean {
  return journalChecksum(runId, seq, place, [bytes]) === checksum;
}

function corrupt(runId: RunId, seq: number, reason: string): MaestroError {
  return new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq, reason } });
}
