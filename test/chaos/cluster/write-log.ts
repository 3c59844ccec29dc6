/**
 * What the store itself notes of who writes and who owns, by triggers that no node knows of: for each row of the journal the boot whose session wrote it,
 * for each change of a shard who has it under which epoch; both with PostgreSQL's time.
 */
import type { BootId, RunId } from "../../../runtime/ids.ts";
import type { PgDatabase } from "../../../runtime/storage/pg-database.ts";
import { execute } from "../../support/pg-fixture.ts";

/** A row of the journal. */
export interface WrittenRow {
  readonly runId: RunId;
  readonly shard: number;
  readonly seq: number;
  readonly count: number;
  readonly epoch: number;
  /** Undefined: written by a session that is no writer lane. */
  readonly boot: BootId | undefined;
  /** Just before its commit, in milliseconds since the epoch, with fractions. */
  readonly atMs: number;
}

/** A shard got an owner. */
export interface Acquisition {
  readonly shard: number;
  readonly epoch: number;
  readonly boot: BootId;
  /** When its owner may have begun to act; with the same clock as {@link WrittenRow.atMs}. */
  readonly atMs: number;
}

/** A lane names its session `maestro-lane-<lane>-<boot>`. */
const INSTALL = `
  CREATE TABLE chaos_rows (run_id uuid, seq bigint, entry_count integer, epoch bigint, session text, at timestamptz);
  CREATE TABLE chaos_owners (shard smallint, epoch bigint, boot_id uuid, at timestamptz);
  CREATE FUNCTION chaos_note_rows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_rows SELECT run_id, seq, entry_count, epoch, current_setting('application_name'), clock_timestamp() FROM fresh;
    RETURN NULL;
  END $$;
  CREATE FUNCTION chaos_note_owners() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_owners SELECT n.shard, n.epoch, n.boot_id, clock_timestamp()
      FROM fresh n JOIN stale o USING (shard) WHERE n.epoch <> o.epoch;
    RETURN NULL;
  END $$;
  CREATE TRIGGER chaos_rows AFTER INSERT ON journal REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION chaos_note_rows();
  CREATE TRIGGER chaos_owners AFTER UPDATE ON shards REFERENCING NEW TABLE AS fresh OLD TABLE AS stale
    FOR EACH STATEMENT EXECUTE FUNCTION chaos_note_owners();
`;

/** Has a migrated store note from now on. */
export async function installWriteLog(pgUrl: string): Promise<void> {
  await execute(pgUrl, INSTALL);
}

/** All rows of the journal, in the order in which they were written. */
export async function readWrittenRows(database: PgDatabase): Promise<WrittenRow[]> {
  const rows = await database.query<{ run_id: RunId; shard: number; seq: string; entry_count: number; epoch: string; session: string; at: number }>(
    "SELECT run_id, shard_of(run_id) AS shard, seq, entry_count, epoch, session, (extract(epoch FROM at) * 1000)::float8 AS at FROM chaos_rows ORDER BY at",
  );
  return rows.map(({ run_id, shard, seq, entry_count, epoch, session, at }) => ({
    ...{ runId: run_id, shard, seq: Number(seq), count: entry_count, epoch: Number(epoch), atMs: at },
    boot: /^maestro-lane-\d+-(.+)$/.exec(session)?.[1] as BootId | undefined,
  }));
}

/** All acquisitions, in the order in which they were made. */
export async function readAcquisitions(database: PgDatabase): Promise<Acquisition[]> {
  const rows = await database.query<{ shard: number; epoch: string; boot_id: BootId; at: number }>(
    "SELECT shard, epoch, boot_id, (extract(epoch FROM at) * 1000)::float8 AS at FROM chaos_owners ORDER BY at",
  );
  return rows.map(({ shard, epoch, boot_id, at }) => ({ shard, epoch: Number(epoch), boot: boot_id, atMs: at }));
}
