/**
 * Retention in PostgreSQL, by deletion. Partitions by time would be dropped faster, but runs that have not ended would have to be carried over
 * under a lock that stops every commit, and a commit that updates a partitioned `workflow_runs` costs the server a sixth more.
 */
import type { EventHub } from "../events.ts";
import type { RunId } from "../ids.ts";
import { NIL_RUN_ID } from "./journal.ts";
import type { ObjectStore } from "./object-store.ts";
import { PgDatabase, type PgQuery } from "./pg-database.ts";
import { firstIdAt } from "./pg-run-id.ts";
import type { Retention, RetentionPage } from "./retention.ts";

/** What it is made from. */
export interface PgRetentionOptions {
  readonly url: string;
  /** Where the largest payloads are, as the journal was told. */
  readonly objects?: ObjectStore | undefined;
  /** See `PgDatabaseOptions.events`. */
  readonly events?: EventHub;
}

/** Tables with rows of a run, and the column that names it. The run's own row comes last. */
const TABLES = [
  ["journal", "run_id"],
  ["run_snapshots", "run_id"],
  ["payloads", "run_id"],
  ["run_timers", "run_id"],
  ["workflow_runs", "id"],
] as const;

/**
 * The attempts of runs, whose ids are sorted. The index is asked once, for all between the first and the last id: `IS TRUE` keeps the list itself
 * away from it, for which it would be read once for each id.
 */
const ATTEMPTS = "DELETE FROM task_executions WHERE run_id BETWEEN $2::uuid AND $3::uuid AND (run_id = ANY($1::uuid[])) IS TRUE";

/** A run is older than its end, so the bound of time is one of the id as well. */
const RUNS = `SELECT id, coalesce(ended_at < $1, false) AS "isOver" FROM workflow_runs WHERE id > $2 AND id < $3 ORDER BY id LIMIT $4`;

/** A page first, and then its runs: PostgreSQL reads all runs otherwise. */
const KEYS = `SELECT k.key, w.id IS NULL AS "isOver"
  FROM (SELECT key, run_id FROM run_keys WHERE key > $1 ORDER BY key LIMIT $2) AS k LEFT JOIN workflow_runs w ON w.id = k.run_id ORDER BY k.key`;

/** Opens it. Connections are made when they are needed. What a crash of the server undoes is done again in the next round. */
export async function openPgRetention({ url, objects, events }: PgRetentionOptions): Promise<Retention> {
  return new PgRetention(new PgDatabase({ url, applicationName: "maestro-retention", size: 1, synchronousCommit: false, events }), objects);
}

/** Use {@link openPgRetention}; the class itself is for tests. */
export class PgRetention implements Retention {
  readonly #database: PgDatabase;
  readonly #objects: ObjectStore | undefined;

  constructor(database: PgDatabase, objects: ObjectStore | undefined) {
    this.#database = database;
    this.#objects = objects;
  }

  async removeRuns(endedBeforeMs: number, limit: number, after: RunId = NIL_RUN_ID): Promise<RetentionPage<RunId>> {
    const before = new Date(endedBeforeMs).toISOString();
    const rows = await this.#database.query<{ id: RunId; isOver: boolean }>(RUNS, [before, after, firstIdAt(endedBeforeMs), limit]);
    const runIds = rows.filter(({ isOver }) => isOver).map(({ id }) => id);
    // Objects first: an object without a row would never be found again.
    await Promise.all(runIds.map((runId) => this.#objects?.removeRun(runId)));
    if (runIds.length > 0) await this.#database.transaction((query) => removeRows(query, runIds));
    return pageOf(runIds.length, rows.length < limit ? undefined : rows.at(-1)?.id);
  }

  async removeKeys(limit: number, after = ""): Promise<RetentionPage<string>> {
    const rows = await this.#database.query<{ key: string; isOver: boolean }>(KEYS, [after, limit]);
    const keys = rows.filter(({ isOver }) => isOver).map(({ key }) => key);
    if (keys.length > 0) await this.#database.query("DELETE FROM run_keys WHERE key = ANY($1::text[])", [keys]);
    return pageOf(keys.length, rows.length < limit ? undefined : rows.at(-1)?.key);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** Removes the attempts of runs, whose ids are sorted. For tests of its plan, beside {@link PgRetention}. */
export async function removeAttempts(query: PgQuery, runIds: readonly RunId[]): Promise<void> {
  await query(ATTEMPTS, [runIds, runIds[0], runIds.at(-1)]);
}

async function removeRows(query: PgQuery, runIds: readonly RunId[]): Promise<void> {
  await removeAttempts(query, runIds);
  for (const [table, column] of TABLES) await query(`DELETE FROM ${table} WHERE ${column} = ANY($1::uuid[])`, [runIds]);
}

function pageOf<Cursor>(removed: number, next: Cursor | undefined): RetentionPage<Cursor> {
  return { removed, ...(next !== undefined && { next }) };
}
