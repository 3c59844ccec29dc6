/**
 * The slots of concurrency keys in PostgreSQL: each change is one statement, so that no lock waits for this process. Commits wait for the disk: a server that
 * forgot a slot would give it twice.
 */
import type { EventHub } from "../events.ts";
import { type BootId, type Shard, shardOf } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import { PgDatabase } from "./pg-database.ts";
import { shardCondition } from "./pg-shards.ts";
import type { ShardSet } from "./shard-set.ts";
import type { SlotRequest, TaskSlot, TaskSlots } from "./task-slots.ts";

const TAKE = "SELECT place FROM take_task_slots($1::uuid, $2::text[], $3::uuid[], $4::integer[], $5::integer[], $6::integer[]) AS place";

const FREE = `DELETE FROM task_slots AS t USING unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[]) AS f (key, run_id, frame, attempt)
  WHERE t.key = f.key AND t.run_id = f.run_id AND t.frame = f.frame AND t.attempt = f.attempt`;

const LINGER = `INSERT INTO task_slots (key, run_id, frame, attempt)
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::integer[]) ON CONFLICT DO NOTHING`;

/** The shard's row is held until the commit: whoever acquires the shard has to change it, and begins after that. */
const RECLAIM = `WITH owned AS MATERIALIZED (SELECT shard FROM shards WHERE shard = $1::smallint AND boot_id = $2::uuid AND epoch = $7::bigint FOR SHARE), freed AS (
    DELETE FROM task_slots AS t USING owned, unnest($3::text[], $4::uuid[], $5::integer[], $6::integer[]) AS f (key, run_id, frame, attempt)
     WHERE t.key = f.key AND t.run_id = f.run_id AND t.frame = f.frame AND t.attempt = f.attempt RETURNING 1)
  SELECT count(*)::integer AS count FROM freed`;

const STATEMENT_MS = 10_000;

/** Opens them. Connections are made when they are needed. */
export function openPgTaskSlots({ url, events }: { readonly url: string; readonly events?: EventHub }): TaskSlots {
  return new PgTaskSlots(new PgDatabase({ url, applicationName: "maestro-slots", size: 2, statementTimeoutMs: STATEMENT_MS, events }));
}

interface StoredSlot {
  readonly key: string;
  readonly run_id: TaskSlot["runId"];
  readonly frame: number;
  readonly attempt: number;
}

class PgTaskSlots implements TaskSlots {
  readonly #database: PgDatabase;

  constructor(database: PgDatabase) {
    this.#database = database;
  }

  async take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]> {
    const values = [bootId, ...columnsOf(wanted), wanted.map(({ limit }) => limit)];
    const places = new Set((await this.#database.prepared<{ readonly place: number }>("slots-take", TAKE, values)).map(({ place }) => place));
    return wanted.filter((_, index) => places.has(index + 1));
  }

  async linger(slots: readonly TaskSlot[]): Promise<void> {
    await this.#database.query(LINGER, columnsOf(slots));
  }

  async free(slots: readonly TaskSlot[]): Promise<void> {
    await this.#database.prepared("slots-free", FREE, columnsOf(slots));
  }

  /** Shard by shard, so that no two who hold rows of shards wait for each other. */
  async reclaim(bootId: BootId, slots: readonly TaskSlot[], epochs: ShardEpochs): Promise<number> {
    let count = 0;
    for (const [shard, ofShard] of Map.groupBy(slots, ({ runId }): Shard => shardOf(runId))) {
      const values = [shard, bootId, ...columnsOf(ofShard), epochs.get(shard)];
      const [row] = await this.#database.prepared<{ readonly count: number }>("slots-reclaim", RECLAIM, values);
      count += row?.count ?? 0;
    }
    return count;
  }

  async list(shards: ShardSet, limit: number, after?: TaskSlot): Promise<readonly TaskSlot[]> {
    const { text: isIn, values } = shardCondition(shards, "run_id", 6);
    const text = `SELECT key, run_id, frame, attempt FROM task_slots
      WHERE ${isIn} AND ($2::text IS NULL OR (key, run_id, frame, attempt) > ($2, $3::uuid, $4::integer, $5::integer))
      ORDER BY key, run_id, frame, attempt LIMIT $1`;
    const rows = await this.#database.query<StoredSlot>(text, [limit, after?.key, after?.runId, after?.frame, after?.attempt, ...values]);
    return rows.map(({ key, run_id, frame, attempt }) => ({ key, runId: run_id, frame, attempt }));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function columnsOf(slots: readonly TaskSlot[]): readonly [string[], string[], number[], number[]] {
  return [slots.map(({ key }) => key), slots.map(({ runId }) => runId), slots.map(({ frame }) => frame), slots.map(({ attempt }) => attempt)];
}
