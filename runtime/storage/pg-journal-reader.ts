/**
 * The reading half of the journal in PostgreSQL. Every query is served by an index; a test holds the plans to that.
 */
import type { BootId, RunId } from "../ids.ts";
import { type JournalRow, NIL_RUN_ID, type RunFilter, type RunRecord, type RunStatus, type RunTimer, type WakeAudit } from "./journal.ts";
import type { JournalReader } from "./laned-journal.ts";
import type { PgDatabase } from "./pg-database.ts";
import { firstIdAt } from "./pg-run-id.ts";
import { readPgTails } from "./pg-run-tails.ts";
import { shardCondition } from "./pg-shards.ts";
import { auditPg } from "./pg-wake-audit.ts";
import type { ShardSet } from "./shard-set.ts";
import { type StoredPayload, type StoredRow, type StoredSnapshot, type StoredTail, verifyRows } from "./stored-rows.ts";

/** Snapshots that are looked at before the history is read from its beginning. */
const SNAPSHOTS_TRIED = 2;

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
    const stored = await this.#database.prepared<Omit<StoredRow, "firstSeq"> & { readonly firstSeq: string }>(
      "run-rows",
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

  async readSnapshots(runId: RunId, atMostSeq: number): Promise<readonly StoredSnapshot[]> {
    const rows = await this.#database.prepared<{ readonly seq: string; readonly crc: number; readonly state: Buffer }>(
      "run-snapshot",
      `SELECT seq, crc, state FROM run_snapshots WHERE run_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT ${SNAPSHOTS_TRIED}`,
      [runId, atMostSeq],
    );
    return rows.map(({ seq, crc, state }) => ({ seq: Number(seq), checksum: crc, state }));
  }

  async findPayload(runId: RunId, seq: number, place: number): Promise<StoredPayload | undefined> {
    const [row] = await this.#database.prepared<{ readonly crc: number; readonly bytes: Buffer; readonly object_name: string | null }>(
      "run-payload",
      "SELECT crc, bytes, object_name FROM payloads WHERE run_id = $1 AND seq = $2 AND place = $3",
      [runId, seq, place],
    );
    return row && { bytes: row.bytes, checksum: row.crc, ...(row.object_name !== null && { objectName: row.object_name }) };
  }

  async findAll(runIds: readonly RunId[]): Promise<ReadonlyMap<RunId, RunRecord>> {
    const text = `SELECT ${RUN_COLUMNS} FROM workflow_runs WHERE id = ANY($1::uuid[])`;
    const rows = await this.#database.prepared<StoredRun>("run-heads", text, [runIds]);
    return new Map(rows.map((row) => [row.id, recordOf(row)]));
  }

  readTails(runIds: readonly RunId[], bootId: BootId): Promise<ReadonlyMap<RunId, StoredTail>> {
    return readPgTails(this.#database, runIds, bootId);
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

  async listReady(shards: ShardSet, limit: number, after?: RunId): Promise<readonly RunId[]> {
    const ours = shardCondition(shards, "id", 3);
    const text = `SELECT id FROM workflow_runs WHERE wake & 1 = 1 AND ${ours.text} AND id > $1 ORDER BY id LIMIT $2`;
    return idsOf(await this.#database.query(text, [after ?? NIL_RUN_ID, limit, ...ours.values]));
  }

  async listTimers(shards: ShardSet, dueBeforeMs: number, limit: number, after?: RunTimer): Promise<readonly RunTimer[]> {
    // NOT IN is hashed whatever the statistics say. NOT EXISTS became a loop over all quarantined runs when these were many all of a sudden.
    const ours = shardCondition(shards, "t.run_id", 6);
    const start = after === undefined ? ["-infinity", NIL_RUN_ID, 0] : [timestamp(after.dueAtMs), after.runId, after.timer];
    const rows = await this.#database.query<{ due_at: Date; run_id: RunId; timer: number }>(
      `SELECT t.due_at, t.run_id, t.timer FROM run_timers t
        WHERE t.due_at < $1 AND (t.due_at, t.run_id, t.timer) > ($3, $4, $5) AND ${ours.text}
          AND t.run_id NOT IN (SELECT w.id FROM workflow_runs w WHERE w.status = 'quarantined')
        ORDER BY t.due_at, t.run_id, t.timer LIMIT $2`,
      [timestamp(dueBeforeMs), limit, ...start, ...ours.values],
    );
    return rows.map((row) => ({ runId: row.run_id, timer: row.timer, dueAtMs: row.due_at.getTime() }));
  }

  audit(shards: ShardSet, graceMs: number, limit: number, after?: RunId): Promise<WakeAudit> {
    return auditPg(this.#database, shards, graceMs, limit, after);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

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

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
