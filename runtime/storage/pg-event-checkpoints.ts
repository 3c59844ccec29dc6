/**
 * The marks of what is published, in PostgreSQL. Nothing here waits for the disk: a mark that a crash undoes was an older one before.
 */
import type { EventHub } from "../events.ts";
import type { BootId, RunId } from "../ids.ts";
import { type ChangedRuns, CLOCK_MARGIN_MS, type EventCheckpoints, OLDEST_DEBT_MS, type PublishMark, type TakenDebt } from "./event-checkpoints.ts";
import type { ShardEpochs } from "./held-shards.ts";
import { NIL_RUN_ID } from "./journal.ts";
import { PgDatabase } from "./pg-database.ts";
import { IS_TENURE, TENURES } from "./pg-shard-epochs.ts";
import { shardCondition } from "./pg-shards.ts";
import { ShardSet } from "./shard-set.ts";

/** Long: after the stream was away for days many runs have changed. */
const STATEMENT_MS = 300_000;
/** Whoever takes shards over waits for a node that stands still with their rows locked. Less than a lease. */
const STANDSTILL_MS = 2_000;

/** A time as text, to the microsecond. */
const iso = (time: string): string => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const OLDEST = `clock_timestamp() - ${OLDEST_DEBT_MS} * interval '1 millisecond'`;
/** The boot of the mark `c` commits nothing any more. */
const IS_OVER = "NOT EXISTS (SELECT FROM nodes AS n WHERE n.boot_id = c.boot_id AND n.released_at IS NULL)";

/** Without marks that were left there is no debt. */
const DEBT = `SELECT ${iso(`greatest(min(c.committed_at), ${OLDEST})`)} AS committed_at,
    greatest(min(c.entries_from_ms), (extract(epoch FROM ${OLDEST}) * 1000)::bigint) AS entries_from_ms,
    ARRAY(SELECT s.shard FROM shards AS s WHERE s.boot_id = $1 AND s.shard = ANY($2::smallint[]) AND s.published_epoch < s.epoch - 1
      AND count(c.boot_id) > 0)::integer[] AS shards,
    ARRAY(SELECT s.shard FROM shards AS s WHERE s.boot_id IS DISTINCT FROM $1 AND s.shard = ANY($2::smallint[]))::integer[] AS foreign_shards
  FROM event_checkpoints AS c WHERE c.boot_id <> $1 AND ${IS_OVER}`;

const SETTLE = `UPDATE shards AS s SET published_epoch = s.epoch - 1 FROM ${TENURES}
  WHERE s.boot_id = $1 AND ${IS_TENURE} AND s.published_epoch < s.epoch - 1 AND s.published_epoch <> -s.epoch`;

const HAND_OVER = `UPDATE shards AS s SET published_epoch = s.epoch FROM ${TENURES} WHERE s.boot_id = $1 AND ${IS_TENURE}`;

/** A shard without an owner that lives owes what its last owner wrote, too. */
const FORGET = `DELETE FROM event_checkpoints AS c WHERE ${IS_OVER} AND NOT EXISTS (
  SELECT FROM shards AS s LEFT JOIN nodes AS n ON n.boot_id = s.boot_id AND n.released_at IS NULL
   WHERE s.published_epoch < s.epoch - (n.boot_id IS NOT NULL)::integer)`;

/**
 * The shards count as being in debt from now on, while their owner still has them: else the mark might be forgotten before they are released. Which
 * epoch's owner left it is told by the number, negated, so that what that one settled before, and what arrives only now, does not undo it.
 */
const LEAVE_DEBT = `WITH owing AS (UPDATE shards AS s SET published_epoch = -s.epoch FROM ${TENURES} WHERE s.boot_id = $1 AND ${IS_TENURE})
  INSERT INTO event_checkpoints (boot_id, committed_at, entries_from_ms) VALUES (gen_random_uuid(), $4::timestamptz, $5)`;

/** Opens it. Connections are made when they are needed. */
export async function openPgEventCheckpoints({ url, events }: { readonly url: string; readonly events?: EventHub }): Promise<EventCheckpoints> {
  const limits = { statementTimeoutMs: STATEMENT_MS, idleInTransactionMs: STANDSTILL_MS };
  return new PgEventCheckpoints(new PgDatabase({ url, applicationName: "maestro-events", size: 2, ...limits, synchronousCommit: false, events }));
}

interface StoredMark {
  readonly committed_at: string;
  readonly entries_from_ms: string;
}

/** Use {@link openPgEventCheckpoints}; the class itself is for tests. */
export class PgEventCheckpoints implements EventCheckpoints {
  readonly #database: PgDatabase;

  constructor(database: PgDatabase) {
    this.#database = database;
  }

  async begin(bootId: BootId, nowMs: number): Promise<PublishMark> {
    const text = `INSERT INTO event_checkpoints (boot_id, committed_at, entries_from_ms) VALUES ($1, clock_timestamp(), $2)
      RETURNING ${iso("committed_at")} AS committed_at, entries_from_ms`;
    const [own] = await this.#database.query<StoredMark>(text, [bootId, nowMs]);
    return markOf(own as StoredMark);
  }

  async debtOf(bootId: BootId, shards: ShardSet): Promise<TakenDebt> {
    type Row = StoredMark & { readonly shards: readonly number[]; readonly foreign_shards: readonly number[] };
    const [row] = await this.#database.query<Row>(DEBT, [bootId, [...shards]]);
    const { shards: owing, foreign_shards: foreign, ...mark } = row as Row;
    return { shards: ShardSet.of(owing), since: markOf(mark), foreign: ShardSet.of(foreign) };
  }

  async settle(bootId: BootId, shards: ShardEpochs): Promise<void> {
    await this.#database.query(SETTLE, [bootId, [...shards.keys()], [...shards.values()]]);
    await this.#database.query(FORGET);
  }

  async now(): Promise<string> {
    return timeOf(await this.#database.prepared("event-time", `SELECT ${iso("clock_timestamp()")} AS now`, []));
  }

  async advance(bootId: BootId, { committedAt, entriesFromMs }: PublishMark): Promise<string> {
    const text = `WITH stored AS (UPDATE event_checkpoints SET committed_at = $2::timestamptz, entries_from_ms = $3 WHERE boot_id = $1)
      SELECT ${iso("clock_timestamp()")} AS now`;
    return timeOf(await this.#database.prepared("event-mark", text, [bootId, committedAt, entriesFromMs]));
  }

  async handOver(bootId: BootId, shards: ShardEpochs, since: PublishMark | undefined): Promise<void> {
    const left = [bootId, [...shards.keys()], [...shards.values()]];
    if (since === undefined) await this.#database.query(HAND_OVER, left);
    else await this.#database.query(LEAVE_DEBT, [...left, since.committedAt, since.entriesFromMs]);
  }

  end(bootId: BootId): Promise<void> {
    return this.#database.transaction(async (query) => {
      await query("UPDATE shards SET published_epoch = epoch WHERE boot_id = $1 AND published_epoch >= epoch - 1", [bootId]);
      await query("DELETE FROM event_checkpoints WHERE boot_id = $1", [bootId]);
    });
  }

  async listChanged({ shards, since, isWithReady }: ChangedRuns, limit: number, after: RunId = NIL_RUN_ID): Promise<readonly RunId[]> {
    const { text: isIn, values } = shardCondition(shards, "id", 6);
    // Changed runs are found first, by their index, and put in order then: in order of id all runs would be read.
    const text = `WITH changed AS MATERIALIZED (
        SELECT id FROM workflow_runs WHERE updated_at >= $1::timestamptz - $2 * interval '1 millisecond'
        UNION SELECT id FROM workflow_runs WHERE $3::boolean AND wake & 1 = 1)
      SELECT id FROM changed WHERE ${isIn} AND id > $4 ORDER BY id LIMIT $5`;
    const rows = await this.#database.query<{ readonly id: RunId }>(text, [since.committedAt, CLOCK_MARGIN_MS, isWithReady, after, limit, ...values]);
    return rows.map(({ id }) => id);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function timeOf([row]: readonly { readonly now: string }[]): string {
  return row?.now ?? "";
}

function markOf(row: StoredMark): PublishMark {
  return { committedAt: row.committed_at, entriesFromMs: Number(row.entries_from_ms) };
}
