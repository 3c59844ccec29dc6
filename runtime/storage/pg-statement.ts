/**
 * The one SQL statement that commits a batch: fence check and every change, in one round trip and one transaction. There is a variant for
 * each combination of parts that a batch has; each is prepared once on a connection, under its own name. Pure.
 *
 * Every change joins the fence row. Without that row (this boot was fenced) nothing changes and the answer is 0.
 */
import { type Shard, shardOf, timeOf } from "../ids.ts";
import type { Batch, BatchHead, BatchKey, BatchPayload, BatchRow, BatchRun, BatchSnapshot } from "./batch.ts";
import type { HeldShards } from "./held-shards.ts";
import type { RunTimer } from "./journal.ts";
import { journalChecksum } from "./journal-checksum.ts";
import { byteaArray, int2Array, int4Array, int8Array, jsonbArray, storable, textArray, timestamptzArray, uuidArray } from "./pg-array.ts";

/** A prepared statement with its parameters, as the driver takes it. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (string | number | Buffer)[];
}

/**
 * How a batch holds its lane's fence row until its commit. `FOR SHARE` conflicts with the takeover's UPDATE; nothing weaker does. Only the
 * test that proves this passes anything else.
 */
export type FenceLock = "FOR SHARE" | "FOR KEY SHARE" | "";

/** A part of the statement: a table that is changed, and the columns that are sent for it. */
interface Part {
  readonly name: string;
  readonly sql: (source: string) => string;
  readonly types: readonly string[];
  readonly encode: (batch: Batch, held: Held) => readonly Buffer[];
  readonly isPresent: (batch: Batch) => boolean;
}

/** The part of {@link HeldShards} that statements need. */
type Held = Pick<HeldShards, "epochOf">;

type Column<T> = readonly [name: string, type: string, encode: (rows: readonly T[], held: Held) => Buffer];

function part<T>(name: string, rowsOf: (batch: Batch) => readonly T[], columns: readonly Column<T>[], sql: (source: string) => string): Part {
  const names = columns.map(([column]) => column).join(", ");
  return {
    name,
    sql: (source) => sql(`fence, ${source} AS x (${names})`),
    types: columns.map(([, type]) => type),
    encode: (batch, held) => columns.map(([, , encode]) => encode(rowsOf(batch), held)),
    isPresent: (batch) => rowsOf(batch).length > 0,
  };
}

const headColumns: readonly Column<BatchHead>[] = [
  ["id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
  ["status", "text", (rows) => textArray(rows.map((row) => row.head.status))],
  ["wake", "int2", (rows) => int2Array(rows.map((row) => row.head.wake))],
  ["error_message", "text", (rows) => textArray(rows.map((row) => storable(row.head.errorMessage)))],
  ["ended_at", "timestamptz", (rows) => timestamptzArray(rows.map((row) => row.head.endedAtMs))],
];

const runColumns: readonly Column<BatchRun>[] = [
  ...headColumns,
  ["workflow_id", "uuid", (rows) => uuidArray(rows.map((row) => row.run.workflowId))],
  ["user_id", "text", (rows) => textArray(rows.map((row) => row.run.userId))],
  ["labels", "jsonb", (rows) => jsonbArray(rows.map((row) => JSON.stringify(row.run.labels)))],
  ["created_at", "timestamptz", (rows) => timestamptzArray(rows.map((row) => timeOf(row.runId)))],
];

const rowColumns: readonly Column<BatchRow>[] = [
  ["run_id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
  ["seq", "int8", (rows) => int8Array(rows.map((row) => row.firstSeq))],
  ["epoch", "int8", (rows, held) => int8Array(rows.map((row) => held.epochOf(shardOf(row.runId))))],
  ["entry_count", "int4", (rows) => int4Array(rows.map((row) => row.entryCount))],
  ["crc", "int4", (rows) => int4Array(rows.map((row) => journalChecksum(row.runId, row.firstSeq, row.entryCount, row.parts)))],
  ["entries", "bytea", (rows) => byteaArray(rows.map((row) => row.parts))],
];

/** Where the history of a row's run ends, for now. */
const HISTORY_END = "SELECT j.seq + j.entry_count FROM journal AS j WHERE j.run_id = x.run_id AND j.seq < x.seq ORDER BY j.seq DESC LIMIT 1";

const snapshotColumns: readonly Column<BatchSnapshot>[] = [
  ["run_id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
  ["seq", "int8", (rows) => int8Array(rows.map((row) => row.seq))],
  ["crc", "int4", (rows) => int4Array(rows.map((row) => journalChecksum(row.runId, row.seq, 0, [row.state])))],
  ["state", "bytea", (rows) => byteaArray(rows.map((row) => [row.state]))],
];

const payloadColumns: readonly Column<BatchPayload>[] = [
  ["run_id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
  ["seq", "int8", (rows) => int8Array(rows.map((row) => row.seq))],
  ["place", "int2", (rows) => int2Array(rows.map((row) => row.place))],
  ["crc", "int4", (rows) => int4Array(rows.map((row) => journalChecksum(row.runId, row.seq, row.place, [row.bytes])))],
  ["bytes", "bytea", (rows) => byteaArray(rows.map((row) => [row.bytes]))],
  ["object_name", "text", (rows) => textArray(rows.map((row) => row.objectName))],
];

const timerColumns: readonly Column<RunTimer>[] = [
  ["due_at", "timestamptz", (rows) => timestamptzArray(rows.map((row) => row.dueAtMs))],
  ["run_id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
  ["timer", "int4", (rows) => int4Array(rows.map((row) => row.timer))],
];

const keyColumns: readonly Column<BatchKey>[] = [
  ["key", "text", (rows) => textArray(rows.map((row) => row.key))],
  ["run_id", "uuid", (rows) => uuidArray(rows.map((row) => row.runId))],
];

/** In this order; the bit of a part in a variant's number is its place. */
const PARTS: readonly Part[] = [
  part(
    "new_keys",
    (batch) => batch.keys,
    keyColumns,
    (source) => `INSERT INTO run_keys (key, run_id) SELECT x.key, x.run_id FROM ${source}`,
  ),
  part(
    "new_runs",
    (batch) => batch.runs,
    runColumns,
    (source) => `INSERT INTO workflow_runs (id, workflow_id, created_at, updated_at, ended_at, wake, status, user_id, labels, error_message)
      SELECT x.id, x.workflow_id, x.created_at, now(), x.ended_at, x.wake, x.status, x.user_id, x.labels, x.error_message FROM ${source}`,
  ),
  part(
    "new_rows",
    (batch) => (batch.isChecked ? [] : batch.rows),
    rowColumns,
    (source) => `INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries)
      SELECT x.run_id, x.seq, x.epoch, x.entry_count, x.crc, x.entries FROM ${source}`,
  ),
  part(
    "new_heads",
    (batch) => batch.heads,
    headColumns,
    (source) => `UPDATE workflow_runs AS w
      SET status = x.status, wake = x.wake, error_message = x.error_message, ended_at = x.ended_at, updated_at = now()
      FROM ${source} WHERE w.id = x.id`,
  ),
  part(
    "new_snapshots",
    (batch) => batch.snapshots,
    snapshotColumns,
    (source) => `INSERT INTO run_snapshots (run_id, seq, crc, state) SELECT x.run_id, x.seq, x.crc, x.state FROM ${source}`,
  ),
  part(
    "set_timers",
    (batch) => batch.timersSet,
    timerColumns,
    (source) => `INSERT INTO run_timers (due_at, run_id, timer) SELECT x.due_at, x.run_id, x.timer FROM ${source}`,
  ),
  part(
    "cleared_timers",
    (batch) => batch.timersCleared,
    timerColumns,
    (source) => `DELETE FROM run_timers AS t USING ${source} WHERE t.due_at = x.due_at AND t.run_id = x.run_id AND t.timer = x.timer`,
  ),
  part(
    "new_payloads",
    (batch) => batch.payloads,
    payloadColumns,
    (source) => `INSERT INTO payloads (run_id, seq, place, crc, bytes, object_name)
      SELECT x.run_id, x.seq, x.place, x.crc, x.bytes, x.object_name FROM ${source}`,
  ),
  // A row that would leave a gap has no count, which its column refuses. A tenth more CPU of the server, so it is the exception.
  part(
    "checked_rows",
    (batch) => (batch.isChecked ? batch.rows : []),
    rowColumns,
    (source) => `INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries)
      SELECT x.run_id, x.seq, x.epoch, CASE WHEN x.seq = 1 OR (${HISTORY_END}) = x.seq THEN x.entry_count END, x.crc, x.entries FROM ${source}`,
  ),
];

/** Builds the statements of one lane, and remembers the texts of the variants. */
export class BatchStatements {
  readonly #lane: readonly [bootId: string, lane: number];
  readonly #held: Held;
  readonly #lock: FenceLock;
  readonly #texts = new Map<number, string>();

  constructor(bootId: string, lane: number, held: Held, lock: FenceLock = "FOR SHARE") {
    this.#lane = [bootId, lane];
    this.#held = held;
    this.#lock = lock;
  }

  /** Epoch under which rows of a shard are written. */
  readonly epochOf = (shard: Shard): number => this.#held.epochOf(shard);

  /** The statement that commits `batch`. It answers one row, whose `live` is 1, or 0 if the lane is fenced. */
  of(batch: Batch): Statement {
    const present = PARTS.filter((candidate) => candidate.isPresent(batch));
    const variant = present.reduce((bits, candidate) => bits | (1 << PARTS.indexOf(candidate)), 0);
    let text = this.#texts.get(variant);
    if (text === undefined) {
      text = textOf(present, this.#lock);
      this.#texts.set(variant, text);
    }
    return { name: `batch-${variant}`, text, values: [...this.#lane, ...present.flatMap((candidate) => candidate.encode(batch, this.#held))] };
  }
}

function textOf(parts: readonly Part[], lock: FenceLock): string {
  let parameter = 2;
  const fence = `fence AS MATERIALIZED (
      SELECT FROM lane_fences WHERE boot_id = $1::uuid AND lane = $2::smallint AND fenced_at IS NULL ${lock})`;
  const changes = parts.map(({ name, types, sql }) => {
    // In the list of columns the arrays are taken apart row by row. In FROM each is copied to a store of its own first: a fifth more CPU of the
    // server for batches of 60 writes, half as much again for 16.
    const columns = types.map((type) => `unnest($${++parameter}::${type}[])`).join(", ");
    return `${name} AS (${sql(`(SELECT ${columns})`)})`;
  });
  return `WITH ${[fence, ...changes].join(",\n")}\nSELECT count(*)::integer AS live FROM fence`;
}
