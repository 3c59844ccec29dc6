/**
 * Reads the tails of many runs from PostgreSQL with one query: of each run its newest snapshot and the rows after it, and whether the boot that asks
 * owned the run as they were read.
 */
import type { BootId, RunId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Standing } from "./journal.ts";
import type { PgDatabase } from "./pg-database.ts";
import type { StoredTail, TailPart } from "./stored-rows.ts";

/** The entry that a run's rows are wanted from. */
const FIRST_WANTED = "coalesce((SELECT max(seq) FROM run_snapshots WHERE run_id = wanted.id), 0) + 1";

/** Whether all lanes of the boot may write: it is fenced with all of them at once. Asked once for a query. */
const MAY_WRITE = "(SELECT coalesce(bool_and(fenced_at IS NULL), false) FROM lane_fences WHERE boot_id = $4::uuid)";

/**
 * Parameters: the runs; rows of a run; bytes of all; the boot. The sum reads the lengths of the values, not the values. A run that is not there has one row
 * without a seq. The owner's rows, which are nearly all, spare themselves the standing.
 */
const TAILS = `SELECT id, standing, seq, entry_count, crc, CASE WHEN total <= $3 THEN bytes END AS bytes
  FROM (
    SELECT wanted.id, CASE WHEN NOT ${MAY_WRITE} THEN 'fenced' WHEN shards.boot_id = $4::uuid THEN NULL ELSE 'moved' END AS standing,
      part.*, sum(octet_length(part.bytes)) OVER (ORDER BY wanted.place, part.entry_count > 0, part.seq) AS total, wanted.place
    FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted(id, place)
    LEFT JOIN shards ON shards.shard = shard_of(wanted.id)::smallint
    LEFT JOIN LATERAL (
      (SELECT seq, 0 AS entry_count, crc, state AS bytes FROM run_snapshots WHERE run_id = wanted.id ORDER BY seq DESC LIMIT 1)
      UNION ALL
      (SELECT seq, entry_count, crc, entries FROM journal
        WHERE run_id = wanted.id AND seq >= coalesce((SELECT max(seq) FROM journal WHERE run_id = wanted.id AND seq <= ${FIRST_WANTED}), 0)
        ORDER BY seq LIMIT $2)
    ) AS part ON true
  ) AS parts
  ORDER BY place, entry_count > 0, seq`;

interface StoredPart {
  readonly id: RunId;
  readonly standing: Exclude<Standing, "owner"> | null;
  readonly seq: string | null;
  readonly entry_count: number;
  readonly crc: number;
  readonly bytes: Buffer | null;
}

/** See `JournalReader.readTails`. */
export async function readPgTails(database: PgDatabase, runIds: readonly RunId[], bootId: BootId): Promise<ReadonlyMap<RunId, StoredTail>> {
  const values = [runIds, LIMITS.rowsPerTail, LIMITS.tailBytesPerQuery, bootId];
  const rows = await database.prepared<StoredPart>("run-tails", TAILS, values);
  const tails = new Map<RunId, { readonly standing: Standing; readonly parts: TailPart[] }>();
  for (const { id, standing, seq, entry_count: entryCount, crc: checksum, bytes } of rows) {
    const tail = tails.get(id) ?? { standing: standing ?? "owner", parts: [] };
    tails.set(id, tail);
    if (seq !== null) tail.parts.push({ seq: Number(seq), entryCount, checksum, ...(bytes !== null && { bytes }) });
  }
  return tails;
}
