/**
 * The batch store of one lane in PostgreSQL. Owns the judgement on what the server's answer, or none, says about a batch.
 */
import { messageOf } from "../errors.ts";
import { type RunId, shardOf } from "../ids.ts";
import type { Batch, BatchRow } from "./batch.ts";
import type { BatchStore, Collision, Outcome } from "./batch-store.ts";
import { blamesData, failureOf } from "./pg-connection.ts";
import type { PgLaneConnection } from "./pg-lane-connection.ts";
import type { BatchStatements, Statement } from "./pg-statement.ts";

const UNIQUE_VIOLATION = "23505";

/** The store. */
export class PgBatchStore implements BatchStore {
  readonly #connection: PgLaneConnection;
  readonly #statements: BatchStatements;

  constructor(connection: PgLaneConnection, statements: BatchStatements) {
    this.#connection = connection;
    this.#statements = statements;
  }

  async commit(batch: Batch): Promise<Outcome> {
    let statement: Statement;
    try {
      statement = this.#statements.of(batch);
    } catch (error) {
      return { kind: "refused", reason: messageOf(error), isDuplicate: false };
    }
    try {
      const rows = await this.#connection.query<{ live: number }>(statement);
      return rows[0]?.live === 1 ? { kind: "committed" } : { kind: "fenced" };
    } catch (error) {
      const failure = failureOf(error);
      // The server rolled back and goes on. Whatever else went wrong leaves the connection, and the outcome, in doubt.
      if (blamesData(failure)) return { kind: "refused", reason: failure.message, isDuplicate: failure.code === UNIQUE_VIOLATION };
      this.#connection.drop();
      return { kind: "unknown", reason: failure.message };
    }
  }

  /** A batch is atomic, so one row of it decides. */
  async holds(batch: Batch): Promise<boolean> {
    const [row] = batch.rows;
    if (row !== undefined) return this.#holdsRow(row);
    const [run] = batch.runs;
    if (run !== undefined) return this.#exists("SELECT FROM workflow_runs WHERE id = $1", [run.runId]);
    const [timer] = batch.timersSet;
    if (timer === undefined) return false;
    const text = "SELECT FROM run_timers WHERE due_at = $1 AND run_id = $2 AND timer = $3";
    return this.#exists(text, [new Date(timer.dueAtMs).toISOString(), timer.runId, timer.timer]);
  }

  async findCollision(batch: Batch): Promise<Collision> {
    const owners = await this.#findOwners(batch);
    if (owners.size > 0) return { kind: "keysTaken", owners };
    return (await this.#holdsEveryRow(batch.rows)) ? { kind: "committed" } : { kind: "other" };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #findOwners(batch: Batch): Promise<ReadonlyMap<RunId, RunId>> {
    const owners = new Map<RunId, RunId>();
    if (batch.keys.length === 0) return owners;
    const text = "SELECT key, run_id FROM run_keys WHERE key = ANY($1::text[])";
    const rows = await this.#ask<{ key: string; run_id: RunId }>(text, [batch.keys.map(({ key }) => key)]);
    const found = new Map(rows.map((row) => [row.key, row.run_id]));
    for (const { key, runId } of batch.keys) {
      const owner = found.get(key);
      if (owner !== undefined && owner !== runId) owners.set(runId, owner);
    }
    return owners;
  }

  async #holdsEveryRow(rows: readonly BatchRow[]): Promise<boolean> {
    for (const row of rows) if (!(await this.#holdsRow(row))) return false;
    return rows.length > 0;
  }

  async #holdsRow(row: BatchRow): Promise<boolean> {
    const text = "SELECT entries FROM journal WHERE run_id = $1 AND seq = $2 AND epoch = $3";
    const [stored] = await this.#ask<{ entries: Buffer }>(text, [row.runId, row.firstSeq, this.#statements.epochOf(shardOf(row.runId))]);
    return stored !== undefined && Buffer.concat(row.parts).equals(stored.entries);
  }

  async #exists(text: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.#ask(text, values)).length > 0;
  }

  async #ask<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.#connection.query<Row>({ text, values });
    } catch (error) {
      this.#connection.drop();
      throw error;
    }
  }
}
