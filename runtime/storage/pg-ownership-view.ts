/**
 * Reads how the ownership stands, in one statement and so at one moment.
 */
import type { BootId } from "../ids.ts";
import type { NodeRole } from "./ownership.ts";
import { type NodeState, type NodeView, OwnershipView } from "./ownership-view.ts";
import type { PgDatabase } from "./pg-database.ts";
import { decodeShardEpochs, EPOCH_COLUMNS, type EpochRow } from "./pg-shard-epochs.ts";

/** One row for each boot and epoch of its shards; one without a boot if there is none. */
const VIEW = `WITH newest AS (
    SELECT DISTINCT ON (node_name) *, extract(epoch FROM lease_until - clock_timestamp())::float8 * 1000 AS lease_left_ms,
      CASE WHEN lost_at IS NOT NULL THEN 'lost' WHEN released_at IS NOT NULL THEN 'released' WHEN is_draining THEN 'draining' ELSE 'live' END AS state
     FROM nodes WHERE released_at IS NULL OR released_at > now() - interval '1 hour'
     ORDER BY node_name, released_at DESC NULLS FIRST),
  owned AS (SELECT s.boot_id AS owner, ${EPOCH_COLUMNS} FROM shards AS s GROUP BY s.boot_id, epoch)
  SELECT v.version, n.boot_id AS "bootId", n.node_name AS "nodeName", n.state, n.lease_left_ms AS "leaseLeftMs", n.roles,
    n.is_starting AS "isStarting", n.dialect, n.program_version AS "programVersion", n.grpc_address AS "grpcAddress", n.load,
    extract(epoch FROM n.started_at)::float8 * 1000 AS "startedAtMs",
    extract(epoch FROM n.released_at)::float8 * 1000 AS "endedAtMs", o.epoch, o.shards
  FROM ownership_version AS v LEFT JOIN newest AS n ON true LEFT JOIN owned AS o ON o.owner = n.boot_id AND n.released_at IS NULL`;

interface ViewRow extends EpochRow {
  readonly version: string;
  /** Null: there is no boot. */
  readonly bootId: BootId | null;
  readonly nodeName: string;
  readonly state: NodeState;
  readonly leaseLeftMs: number;
  readonly roles: readonly NodeRole[];
  readonly isStarting: boolean;
  readonly dialect: number;
  readonly programVersion: string;
  readonly grpcAddress: string;
  readonly load: number;
  readonly startedAtMs: number;
  /** Null: it is a member. */
  readonly endedAtMs: number | null;
}

/** The view. */
export async function readOwnershipView(database: PgDatabase): Promise<OwnershipView> {
  const rows = await database.prepared<ViewRow>("ownership-view", VIEW, []);
  const byBoot = Map.groupBy(rows, ({ bootId }) => bootId);
  const nodes = [...byBoot.values()].flatMap((ofBoot) => viewOf(ofBoot) ?? []);
  return new OwnershipView(Number(rows[0]?.version ?? 0), nodes);
}

function viewOf(rows: readonly ViewRow[]): NodeView | undefined {
  const [first] = rows;
  if (first === undefined || first.bootId === null) return undefined;
  const { bootId, nodeName, state, leaseLeftMs, roles, isStarting, dialect, programVersion, grpcAddress, load, startedAtMs } = first;
  const told = { roles, isStarting, dialect, programVersion, grpcAddress };
  const times = { startedAtMs, endedAtMs: first.endedAtMs ?? undefined };
  return { bootId, nodeName, state, leaseLeftMs, ...told, load, ...times, shards: decodeShardEpochs(rows) };
}
