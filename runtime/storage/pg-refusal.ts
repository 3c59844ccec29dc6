/**
 * Finds out why the store refused a batch, where the reason lies in what it holds already. Reads only.
 */
import { type RunId, type Shard, shardOf } from "../ids.ts";
import type { Batch, BatchRow } from "./pg-batch.ts";
import type { PgFailure } from "./pg-connection.ts";
import type { LaneConnection } from "./pg-lane-connection.ts";

/** What a refused batch ran into. */
export type Verdict =
  /** The very same batch is there: it was committed before. */
  | { readonly kind: "committed" }
  /** Idempotency keys belong to other runs. `owners` names, by run of the batch, the run that owns its key. */
  | { readonly kind: "keysTaken"; readonly owners: ReadonlyMap<RunId, RunId> }
  /** Something in it can't be stored. */
  | { readonly kind: "unfit" };

const UNIQUE_VIOLATION = "23505";

/** Looks up what a refused batch ran into. Throws if the server can't be asked. */
export async function findVerdict(connection: LaneConnection, batch: Batch, failure: PgFailure, epochOf: (shard: Shard) => number): Promise<Verdict> {
  if (failure.code !== UNIQUE_VIOLATION) return { kind: "unfit" };
  if (failure.constraint === "run_keys_pkey") {
    const owners = await findOwners(connection, batch);
    if (owners.size > 0) return { kind: "keysTaken", owners };
  }
  return (await holdsEveryRow(connection, batch.rows, epochOf)) ? { kind: "committed" } : { kind: "unfit" };
}

async function findOwners(connection: LaneConnection, batch: Batch): Promise<ReadonlyMap<RunId, RunId>> {
  const text = "SELECT key, run_id FROM run_keys WHERE key = ANY($1::text[])";
  const rows = await connection.ask<{ key: string; run_id: RunId }>(text, [batch.keys.map(({ key }) => key)]);
  const found = new Map(rows.map((row) => [row.key, row.run_id]));
  const owners = new Map<RunId, RunId>();
  for (const { key, runId } of batch.keys) {
    const owner = found.get(key);
    if (owner !== undefined && owner !== runId) owners.set(runId, owner);
  }
  return owners;
}

async function holdsEveryRow(connection: LaneConnection, rows: readonly BatchRow[], epochOf: (shard: Shard) => number): Promise<boolean> {
  for (const row of rows) if (!(await holdsRow(connection, row, epochOf(shardOf(row.runId))))) return false;
  return rows.length > 0;
}

async function holdsRow(connection: LaneConnection, row: BatchRow, epoch: number): Promise<boolean> {
  const text = "SELECT entries FROM journal WHERE run_id = $1 AND seq = $2 AND epoch = $3";
  const [stored] = await connection.ask<{ entries: Buffer }>(text, [row.runId, row.firstSeq, epoch]);
  return stored !== undefined && Buffer.concat(row.parts).equals(stored.entries);
}
