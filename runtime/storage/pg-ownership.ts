/**
 * Ownership in PostgreSQL. Changes take turns by an advisory lock, so that each sees all that went before. Renewals do not wait for them, nor for the
 * disk: a lease says when others may take over, never what this boot may write.
 */
import { FIRST_DIALECT } from "../dialect.ts";
import type { EventHub } from "../events.ts";
import type { BootId, Shard } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import { type Member, planJoin } from "./join-rules.ts";
import { JointRead } from "./joint-read.ts";
import {
  type Acquired,
  type Announcement,
  type Joined,
  type JoinRequest,
  NODE_ROLES,
  type Ownership,
  type Renewed,
  type RenewRequest,
} from "./ownership.ts";
import type { OwnershipView } from "./ownership-view.ts";
import { PgDatabase, type PgQuery } from "./pg-database.ts";
import { fenceBoot, fenceOthers } from "./pg-fencing.ts";
import { readOwnershipView } from "./pg-ownership-view.ts";
import { decodeShardEpochs, EPOCH_COLUMNS, type EpochRow, IS_TENURE, TENURES } from "./pg-shard-epochs.ts";
import { ShardSet } from "./shard-set.ts";

/** What it is made from. */
export interface PgOwnershipOptions {
  readonly url: string;
  /** See `PgDatabaseOptions.events`. */
  readonly events?: EventHub;
}

/** Opens the ownership table. Close it to give up its connections. */
export async function openPgOwnership(options: PgOwnershipOptions): Promise<PgOwnership> {
  return new PgOwnership(options);
}

/** Changes take turns by this advisory lock. All versions of the program must agree on it. */
const CHANGE_LOCK = "7088402";
/** A boot that can't be told by now has no hope of it. Longer than a fencing waits. */
const STATEMENT_MS = 10_000;
/**
 * All other changes wait for one whose node stands still in the middle of it. Such a node gets this long to go on: less than the lease that it does not renew
 * meanwhile, so that nobody who takes it over has to wait for it.
 */
const STANDSTILL_MS = 2_000;
/**
 * Limits of renewals and views, which wait for nothing: the server's own, and that of the wait for it. The next renewal can do no harm, and the one that
 * is not answered keeps it waiting.
 */
const PROMPT = { statementTimeoutMs: 3_000, answerTimeoutMs: 4_000 };
/** Boots that ended longer ago are forgotten: no row is as good as a fenced one. */
const FORGET = `DELETE FROM lane_fences WHERE fenced_at < now() - interval '30 days';
  DELETE FROM nodes WHERE released_at < now() - interval '30 days'`;

/** Shards whose owner can't write any more, or that have none. */
const IS_FREE = "NOT EXISTS (SELECT FROM lane_fences f WHERE f.boot_id = s.boot_id AND f.fenced_at IS NULL)";

/** Raises the version if the part `changed` of the statement changed something: a change that others wait for is over one round trip sooner. */
const RAISED = "raised AS (UPDATE ownership_version SET version = version + 1 WHERE EXISTS (SELECT FROM changed))";

const TAKEN = `WITH member AS (SELECT FROM nodes WHERE boot_id = $1 AND released_at IS NULL),
  mine AS (SELECT s.shard, s.epoch, s.taken_from FROM shards AS s, member WHERE s.boot_id = $1 AND s.shard = ANY($2::smallint[])),
  changed AS (UPDATE shards AS s SET boot_id = $1, epoch = s.epoch + 1, taken_from = coalesce(s.boot_id, s.taken_from) FROM member
    WHERE s.shard = ANY($2::smallint[]) AND ${IS_FREE} RETURNING s.shard, s.epoch, s.taken_from),
  got AS (SELECT * FROM changed UNION ALL SELECT * FROM mine)`;
const GOT = `SELECT taken_from IS NOT NULL AND NOT EXISTS (SELECT FROM nodes n WHERE n.boot_id = taken_from AND n.lost_at IS NULL) AS "isBereft",
    ${EPOCH_COLUMNS} FROM got GROUP BY taken_from, epoch`;
const ACQUIRE = `${TAKEN}, ${RAISED} ${GOT}`;
/** As part of a change that raises the version itself. */
const ACQUIRE_TOO = `${TAKEN} ${GOT}`;

const RELEASE = `WITH changed AS (
    UPDATE shards AS s SET boot_id = NULL, taken_from = CASE WHEN s.shard = ANY($4::smallint[]) THEN taken_from END
      FROM nodes AS n, ${TENURES} WHERE n.boot_id = $1 AND n.released_at IS NULL AND s.boot_id = $1 AND ${IS_TENURE} RETURNING 1),
  ${RAISED} SELECT FROM changed`;

const RENEW = `WITH renewed AS (
    UPDATE nodes SET lease_until = clock_timestamp() + $2 * interval '1 millisecond', load = $3
     WHERE boot_id = $1 AND released_at IS NULL AND NOT EXISTS (SELECT FROM lane_fences f WHERE f.boot_id = $1 AND f.fenced_at IS NOT NULL)
    RETURNING true AS is_member)
  SELECT v.version, r.is_member IS NOT NULL AS "isMember", extract(epoch FROM clock_timestamp())::float8 * 1000 AS "storeTimeMs",
    ARRAY(SELECT boot_id FROM nodes WHERE released_at IS NULL AND lease_until <= clock_timestamp() AND boot_id <> $1)::text[] AS expired
  FROM ownership_version AS v LEFT JOIN renewed AS r ON true`;

const ENTER = `INSERT INTO nodes (boot_id, node_name, lanes, lease_until, roles, program_version, grpc_address, is_alone, is_draining, is_starting, dialect)
  VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond', $5, $6, $7, $8, $9, $9, $10)`;

/** `is_draining` follows: one that is starting is draining, and what was asked of it meanwhile holds once it has started. Only older programs write it. */
const ANNOUNCE = `UPDATE nodes SET is_starting = is_starting AND NOT $4, is_drain_wanted = coalesce($2, is_drain_wanted),
    grpc_address = coalesce($3, grpc_address)
  WHERE boot_id = $1 AND released_at IS NULL RETURNING 1`;

const END = "UPDATE nodes SET released_at = now(), lost_at = CASE WHEN $2 THEN now() END WHERE released_at IS NULL AND";

/** The ownership table. */
class PgOwnership implements Ownership {
  readonly #changes: PgDatabase;
  /** Apart, so that a renewal never waits for a change that waits for a batch. */
  readonly #renewals: PgDatabase;
  /** Apart from both: a view is large, and clients may ask for as many as they like. */
  readonly #views: PgDatabase;
  readonly #view: JointRead<OwnershipView>;

  constructor({ url, events }: PgOwnershipOptions) {
    const options = { url, size: 1 };
    const limits = { statementTimeoutMs: STATEMENT_MS, idleInTransactionMs: STANDSTILL_MS };
    // Rarely used, and then for a takeover: when many connections were lost at once, new ones may be hard to get.
    this.#changes = new PgDatabase({ ...options, ...limits, keepsIdle: true, applicationName: "maestro-ownership", events });
    this.#renewals = new PgDatabase({ ...options, ...PROMPT, applicationName: "maestro-lease", synchronousCommit: false });
    this.#views = new PgDatabase({ ...options, ...PROMPT, applicationName: "maestro-view", events });
    this.#view = new JointRead(() => readOwnershipView(this.#views));
  }

  join(request: JoinRequest): Promise<Joined> {
    return this.#change(async (query) => {
      const { members, nowMs } = await readMembers(query);
      const { staying, takesAll } = planJoin(members, request, nowMs);
      await query(`${END} boot_id <> ALL($1::uuid[])`, [staying, true]);
      await fenceOthers(query, staying);
      const isDraining = request.isStarting === true && !takesAll;
      await enter(query, request, isDraining);
      const { shards, bereft } = await acquire(query, ACQUIRE_TOO, request.bootId, takesAll ? ShardSet.all : ShardSet.none);
      await query(FORGET);
      return { version: await raiseVersion(query), shards, bereft, isDraining };
    });
  }

  async renew(bootId: BootId, { leaseMs, load }: RenewRequest): Promise<Renewed> {
    type Row = Omit<Renewed, "version"> & { readonly version: string };
    const [row] = await this.#renewals.prepared<Row>("renew", RENEW, [bootId, leaseMs, load]);
    const { isMember = false, version = 0, expired = [], storeTimeMs = 0 } = row ?? {};
    return { isMember, version: Number(version), expired: isMember ? expired : [], storeTimeMs };
  }

  view(): Promise<OwnershipView> {
    return this.#view.get();
  }

  acquire(bootId: BootId, shards: Iterable<Shard>): Promise<Acquired> {
    return this.#change((query) => acquire(query, ACQUIRE, bootId, shards));
  }

  release(bootId: BootId, shards: ShardEpochs, bereft = ShardSet.none): Promise<number> {
    return this.#change(async (query) => (await query(RELEASE, [bootId, [...shards.keys()], [...shards.values()], [...bereft]])).length);
  }

  fence(bootId: BootId, { even }: { readonly even?: "alive" } = {}): Promise<boolean> {
    return this.#end(bootId, true, even === "alive" ? "" : "AND lease_until <= clock_timestamp()");
  }

  async leave(bootId: BootId): Promise<void> {
    await this.#end(bootId, false, "");
  }

  announce(bootId: BootId, { isDraining, hasStarted, grpcAddress }: Announcement): Promise<boolean> {
    return this.#change(async (query) => {
      const isMember = (await query(ANNOUNCE, [bootId, isDraining ?? null, grpcAddress ?? null, hasStarted === true])).length > 0;
      if (isMember) await raiseVersion(query);
      return isMember;
    });
  }

  /** Gives the connections up. */
  async close(): Promise<void> {
    await Promise.all([this.#changes, this.#renewals, this.#views].map((database) => database.close()));
  }

  /** The row of the node first, so that its renewal learns of it as soon as may be; then the lanes, which may have to be waited for. */
  #end(bootId: BootId, isLost: boolean, condition: string): Promise<boolean> {
    return this.#change(async (query) => {
      const ended = await query(`${END} boot_id = $1 ${condition} RETURNING 1`, [bootId, isLost]);
      if (ended.length === 0) return false;
      await fenceBoot(query, bootId);
      await raiseVersion(query);
      return true;
    });
  }

  #change<T>(work: (query: PgQuery) => Promise<T>): Promise<T> {
    return this.#changes.transaction(work, `SELECT pg_advisory_xact_lock(${CHANGE_LOCK})`);
  }
}

async function readMembers(query: PgQuery): Promise<{ readonly members: readonly Member[]; readonly nowMs: number }> {
  const rows = await query<Member & { readonly nowMs: number }>(
    `SELECT boot_id AS "bootId", node_name AS "nodeName", roles, is_alone AS "isAlone",
        extract(epoch FROM lease_until)::float8 * 1000 AS "leaseUntilMs", extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs"
       FROM nodes WHERE released_at IS NULL ORDER BY lease_until DESC`,
  );
  return { members: rows, nowMs: rows[0]?.nowMs ?? 0 };
}

async function enter(query: PgQuery, request: JoinRequest, isDraining: boolean): Promise<void> {
  const { bootId, nodeName, lanes, leaseMs, roles = NODE_ROLES, programVersion = "", grpcAddress = "", isAlone = false } = request;
  const { dialect = FIRST_DIALECT } = request;
  await query(ENTER, [bootId, nodeName, lanes, leaseMs, roles, programVersion, grpcAddress, isAlone, isDraining, dialect]);
  await query("INSERT INTO lane_fences (boot_id, lane) SELECT $1, lane FROM generate_series(0, $2::integer - 1) AS lane", [bootId, lanes]);
}

async function acquire(query: PgQuery, text: string, bootId: BootId, shards: Iterable<Shard>): Promise<Acquired> {
  const rows = await query<EpochRow & { readonly isBereft: boolean }>(text, [bootId, [...shards]]);
  const bereft = decodeShardEpochs(rows.filter(({ isBereft }) => isBereft));
  return { shards: decodeShardEpochs(rows), bereft: ShardSet.of(bereft.keys()) };
}

/** Last in each change: the row is then locked for the shortest time. */
async function raiseVersion(query: PgQuery): Promise<number> {
  const [row] = await query<{ readonly version: string }>("UPDATE ownership_version SET version = version + 1 RETURNING version");
  return Number(row?.version ?? 0);
}
