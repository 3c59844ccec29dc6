/**
 * Ownership in PostgreSQL. The claim's UPDATE of the fence rows conflicts with the lock that every batch holds on its own until it commits:
 * so a batch of the previous owner either committed before the claim, and the claim's reader sees it, or finds itself fenced.
 */
import { MaestroError } from "../errors.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import type { Claim, ClaimRequest, Ownership } from "./ownership.ts";
import { PgDatabase, type PgQuery } from "./pg-database.ts";

/** What it is made from. */
export interface PgOwnershipOptions {
  readonly url: string;
}

/** Opens the ownership table. Close it to give up its connection. */
export async function openPgOwnership(options: PgOwnershipOptions): Promise<PgOwnership> {
  return new PgOwnership(options);
}

/** Two claims at once take turns by this advisory lock. All versions of the program must agree on it. */
const CLAIM_LOCK = "7088402";

/** The ownership table. */
class PgOwnership implements Ownership {
  readonly #database: PgDatabase;

  constructor({ url }: PgOwnershipOptions) {
    // A renewal that takes longer than a lease would be of no use.
    this.#database = new PgDatabase({ url, applicationName: "maestro-ownership", size: 1, statementTimeoutMs: 10_000 });
  }

  claim(request: ClaimRequest): Promise<Claim> {
    return this.#database.transaction(async (query) => {
      await query(`SELECT pg_advisory_xact_lock(${CLAIM_LOCK})`);
      await refuseIfHeld(query, request.nodeName);
      const isAfterLoss = await fencePredecessors(query, request.bootId);
      await enter(query, request);
      return { isAfterLoss, epochOf: await takeShards(query, request.bootId) };
    });
  }

  async renew(bootId: BootId, leaseMs: number): Promise<boolean> {
    const rows = await this.#database.query(
      `UPDATE nodes SET lease_until = now() + $2 * interval '1 millisecond'
        WHERE boot_id = $1 AND released_at IS NULL
          AND NOT EXISTS (SELECT FROM lane_fences f WHERE f.boot_id = $1 AND f.fenced_at IS NOT NULL)
        RETURNING 1`,
      [bootId, leaseMs],
    );
    return rows.length > 0;
  }

  async release(bootId: BootId): Promise<void> {
    await this.#database.query("UPDATE nodes SET released_at = coalesce(released_at, now()) WHERE boot_id = $1", [bootId]);
  }

  /** Gives the connection up. */
  close(): Promise<void> {
    return this.#database.close();
  }
}

async function refuseIfHeld(query: PgQuery, nodeName: string): Promise<void> {
  const [holder] = await query<{ node_name: string; lease_until: Date }>(
    `SELECT node_name, lease_until FROM nodes
      WHERE released_at IS NULL AND node_name <> $1 AND lease_until > clock_timestamp() ORDER BY lease_until DESC LIMIT 1 FOR UPDATE`,
    [nodeName],
  );
  if (holder === undefined) return;
  throw new MaestroError("OWNED_ELSEWHERE", { facts: { node: holder.node_name, until: holder.lease_until.toISOString() } });
}

/**
 * Fences every other boot, waiting for the batches that it has under way, and forgets boots of long ago: no row is as good as a fenced one. Answers whether
 * one of them had not released its shards. For tests beside the claim.
 */
export async function fencePredecessors(query: PgQuery, bootId: BootId): Promise<boolean> {
  await query("UPDATE lane_fences SET fenced_at = now() WHERE fenced_at IS NULL AND boot_id <> $1", [bootId]);
  const lost = await query("UPDATE nodes SET released_at = now() WHERE released_at IS NULL AND boot_id <> $1 RETURNING 1", [bootId]);
  await query("DELETE FROM lane_fences WHERE fenced_at < now() - interval '30 days'");
  await query("DELETE FROM nodes WHERE released_at < now() - interval '30 days'");
  return lost.length > 0;
}

async function enter(query: PgQuery, { bootId, nodeName, lanes, leaseMs }: ClaimRequest): Promise<void> {
  await query("INSERT INTO nodes (boot_id, node_name, lanes, lease_until) VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond')", [
    bootId,
    nodeName,
    lanes,
    leaseMs,
  ]);
  await query("INSERT INTO lane_fences (boot_id, lane) SELECT $1, lane FROM generate_series(0, $2::integer - 1) AS lane", [bootId, lanes]);
}

async function takeShards(query: PgQuery, bootId: BootId): Promise<Claim["epochOf"]> {
  const rows = await query<{ shard: number; epoch: string }>(
    `INSERT INTO shards AS s (shard, boot_id, epoch) SELECT shard, $1, 1 FROM generate_series(0, $2::integer - 1) AS shard
      ON CONFLICT (shard) DO UPDATE SET boot_id = excluded.boot_id, epoch = s.epoch + 1
      RETURNING shard, epoch`,
    [bootId, SHARD_COUNT],
  );
  const epochs = new Float64Array(SHARD_COUNT);
  for (const { shard, epoch } of rows) epochs[shard] = Number(epoch);
  return (shard: Shard) => epochs[shard] ?? 0;
}
