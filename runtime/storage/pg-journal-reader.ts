/**
 * The reading half of the journal in PostgreSQL. Every query is served by an index; a test holds the plans to that.
 */
import type { RunId } from "../ids.ts";
import type { JournalRow, RunFilter, RunRecord, RunStatus, RunTimer, ShardRange, Snapshot, WakeAudit } from "./journal.ts";
import type { JournalReader } from "./laned-journal.ts";
import type { PgDatabase } from "./pg-database.ts";
import { newestIntact, type StoredRow, verifyRows } from "./stored-rows.ts";

/** Snapshots that are looked at before the history is read from its beginning. */
const SNAPSHOTS_TRIED = 2;
/** Findings that an audit names at most. */
const AUDIT_FINDINGS = 100;

const RUN_COLUMNS = "id, workflow_id, user_id, status, wake, labels, error_message, created_at, ended_at";

interface StoredRun {
  readonly id: RunId;
  readonly workflow_id: string;
  readonly user_id: string;
  readonly status: RunStatus;
  readonly wake: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly error_message: string | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

/** The reader. */
export class PgJournalReader implements JournalReader {
  readonly #database: PgDatabase;

  constructor(database: PgDatabase) {
    this.#database = database;
  }

  async read(runId: RunId, fromSeq: number, rowLimit: number): Promise<readonly JournalRow[]> {
    const stored = await this.#database.query<Omit<StoredRow, "firstSeq"> & { readonly firstSeq: string }>(
      `SELECT seq AS "firstSeq", entry_count AS "entryCount", crc AS checksum, entries FROM journal
        WHERE run_id = $1 AND seq >= coalesce((SELECT max(seq) FROM journal WHERE run_id = $1 AND seq <= $2), 0)
        ORDER BY seq LIMIT $3`,
      [runId, fromSeq, rowLimit],
    );
    return verifyRows(
      runId,
      fromSeq,
      stored.map((row) => ({ ...row, firstSeq: Number(row.firstSeq) })),
    );
  }

  async readSnapshot(runId: RunId, atMostSeq: number): Promise<Snapshot | undefined> {
    const rows = await this.#database.query<{ readonly seq: string; readonly crc: number; readonly state: Buffer }>(
      `SELECT seq, crc, state FROM run_snapshots WHERE run_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT ${SNAPSHOTS_TRIED}`,
      [runId, atMostSeq],
    );
    return newestIntact(
      runId,
      rows.map(({ seq, crc, state }) => ({ seq: Number(seq), checksum: crc, state })),
    );
  }

  async find(runId: RunId): Promise<RunRecord | undefined> {
    const [row] = await this.#database.query<StoredRun>(`SELECT ${RUN_COLUMNS} FROM workflow_runs WHERE id = $1`, [runId]);
    return row === undefined ? undefined : recordOf(row);
  }

  async findByKey(idempotencyKey: string): Promise<RunId | undefined> {
    const [row] = await this.#database.query<{ run_id: RunId }>("SELECT run_id FROM run_keys WHERE key = $1", [idempotencyKey]);
    return row?.run_id;
  }

  async list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]> {
    const values: unknown[] = [];
    const conditions: string[] = [];
    const require = (condition: (parameter: string) => string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    require((p) => `workflow_id = ANY(${p}::uuid[])`, filter.workflowIds);
    require((p) => `status = ANY(${p}::text[])`, filter.statuses);
    // The time is inside the id, so the bounds of time are bounds of the order.
    require((p) => `id >= ${p}::uuid`, filter.createdAfterMs === undefined ? undefined : firstIdAt(filter.createdAfterMs));
    require((p) => `id < ${p}::uuid`, filter.createdBeforeMs === undefined ? undefined : firstIdAt(filter.createdBeforeMs));
    require((p) => `id < ${p}::uuid`, after);
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    values.push(limit);
    const text = `SELECT ${RUN_COLUMNS} FROM workflow_runs ${where} ORDER BY id DESC LIMIT $${values.length}`;
    return (await this.#database.query<StoredRun>(text, values)).map(recordOf);
  }

  async listReady(shards: ShardRange, limit: number, after?: RunId): Promise<readonly RunId[]> {
    const text = `SELECT id FROM workflow_runs
      WHERE wake & 1 = 1 AND shard_of(id) BETWEEN $1 AND $2 AND id > $3 ORDER BY id LIMIT $4`;
    return idsOf(await this.#database.query(text, [shards.first, shards.last, after ?? NIL, limit]));
  }

  async listTimers(shards: ShardRange, dueBeforeMs: number, limit: number): Promise<readonly RunTimer[]> {
    const rows = await this.#database.query<{ due_at: Date; run_id: RunId; timer: number }>(
      `SELECT due_at, run_id, timer FROM run_timers
        WHERE due_at < $1 AND shard_of(run_id) BETWEEN $2 AND $3 ORDER BY due_at, run_id, timer LIMIT $4`,
      [timestamp(dueBeforeMs), shards.first, shards.last, limit],
    );
    return rows.map((row) => ({ runId: row.run_id, timer: row.timer, dueAtMs: row.due_at.getTime() }));
  }

  async audit(shards: ShardRange, graceMs: number, limit: number): Promise<WakeAudit> {
    const values = [shards.first, shards.last, graceMs];
    const isOurs = `shard_of(w.id) BETWEEN $1 AND $2 AND w.updated_at < now() - $3 * interval '1 millisecond'`;
    const queries = [
      `SELECT w.id FROM workflow_runs w WHERE w.wake = 0 AND w.status IN ('pending', 'running', 'waiting') AND ${isOurs} LIMIT ${AUDIT_FINDINGS}`,
      `SELECT w.id FROM workflow_runs w WHERE w.wake = 2 AND ${isOurs}
        AND NOT EXISTS (SELECT FROM run_timers t WHERE t.run_id = w.id) LIMIT ${AUDIT_FINDINGS}`,
      `SELECT DISTINCT w.id FROM run_timers t JOIN workflow_runs w ON w.id = t.run_id
        WHERE t.due_at < now() - $3 * interval '1 millisecond' AND w.ended_at IS NULL AND w.status <> 'quarantined' AND ${isOurs} LIMIT ${AUDIT_FINDINGS}`,
    ];
    const found = await Promise.all(queries.map(async (text) => idsOf(await this.#database.query(text, values))));
    const ready = await this.#database.query(`SELECT w.id FROM workflow_runs w WHERE w.wake & 1 = 1 AND ${isOurs} ORDER BY w.id LIMIT $4`, [
      ...values,
      limit,
    ]);
    return { withoutWake: [...new Set(found.flat())].sort().slice(0, AUDIT_FINDINGS), ready: idsOf(ready) };
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** Smaller than every run id. */
const NIL = "00000000-0000-0000-0000-000000000000";

function idsOf(rows: readonly unknown[]): readonly RunId[] {
  return (rows as readonly { id: RunId }[]).map((row) => row.id);
}

function recordOf(row: StoredRun): RunRecord {
  return {
    runId: row.id,
    workflowId: row.workflow_id,
    userId: row.user_id,
    labels: row.labels,
    createdAtMs: row.created_at.getTime(),
    status: row.status,
    wake: row.wake,
    ...(row.error_message === null ? {} : { errorMessage: row.error_message }),
    ...(row.ended_at === null ? {} : { endedAtMs: row.ended_at.getTime() }),
  };
}

/** The smallest UUID of a millisecond. */
function firstIdAt(timeMs: number): string {
  const time = Math.min(Math.max(Math.ceil(timeMs), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
