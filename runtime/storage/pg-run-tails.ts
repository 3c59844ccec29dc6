/**
 * Reads the tails of many runs from PostgreSQL with one query: of each run its newest snapshot and the rows after it.
 */
import type { RunId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { PgDatabase } from "./pg-database.ts";
import type { TailPart } from "./stored-rows.ts";

/** The entry that a run's rows are wanted from. */
const FIRST_WANTED = "coalesce((SELECT max(seq) FROM run_snapshots WHERE run_id = wanted.id), 0) + 1";

/** Parameters: the runs; rows of a run; bytes of all. The sum reads the lengths of the values, not the values. */
const TAILS = `SELECT id, seq, entry_count, crc, CASE WHEN total <= $3 THEN bytes END AS bytes
  FROM (
    SELECT wanted.id, part.*, sum(octet_length(part.bytes)) OVER (ORDER BY wanted.place, part.entry_count > 0, part.seq) AS total,
      wanted.place
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted(id, place),
    LATERAL (
      (SELECT seq, 0 AS entry_count, crc, state AS bytes FROM run_snapshots WHERE run_id = wanted.id ORDER BY seq DESC LIMIT 1)
      UNION ALL
      (SELECT seq, entry_count, crc, entries FROM journal
        WHERE run_id = wanted.id AND seq >= coalesce((SELECT max(seq) FROM journal WHERE run_id = wanted.id AND seq <= ${FIRST_WANTED}), 0)
        ORDER BY seq LIMIT $2)
    ) AS part
  ) AS parts
  ORDER BY place, entry_count > 0, seq`;

interface StoredPart {
  readonly id: RunId;
  readonly seq: string;
  readonly entry_count: number;
  readonly crc: number;
  readonly bytes: Buffer | null;
}

/** See `JournalReader.readTails`. */
export async function readPgTails(database: PgDatabase, runIds: readonly RunId[]): Promise<ReadonlyMap<RunId, readonly TailPart[]>> {
  const rows = await database.prepared<StoredPart>("run-tails", TAILS, [runIds, LIMITS.rowsPerTail, LIMITS.tailBytesPerQuery]);
  const tails = new Map<RunId, TailPart[]>();
  for (const { id, seq, entry_count: entryCount, crc: checksum, bytes } of rows) {
    const part = { seq: Number(seq), entryCount, checksum, ...(bytes !== null && { bytes }) };
    const tail = tails.get(id);
    if (tail === undefined) tails.set(id, [part]);
    else tail.push(part);
  }
  return tails;
}
