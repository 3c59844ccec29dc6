/**
 * Between the service layer's values about the cluster and the messages of the wire contract. Pure.
 */
import type { Duration } from "../proto/gen/google/protobuf/duration.ts";
import {
  type Node,
  type Queue,
  type ShardGroup as ShardGroupMessage,
  NodeRole as WireRole,
  NodeState as WireState,
} from "../proto/gen/maestro/v1/cluster_service.ts";
import { isMember } from "../runtime/cluster/cluster-view.ts";
import type { NodeRole } from "../runtime/storage/ownership.ts";
import type { NodeState } from "../runtime/storage/ownership-view.ts";
import { timestamp } from "./grpc-messages.ts";
import type { HeardNode, QueueView, ShardGroup } from "./service/cluster-service.ts";

const WIRE_STATE: Readonly<Record<NodeState, WireState>> = {
  live: WireState.LIVE,
  draining: WireState.DRAINING,
  released: WireState.RELEASED,
  lost: WireState.LOST,
};

const WIRE_ROLE: Readonly<Record<NodeRole, WireRole>> = {
  gateway: WireRole.GATEWAY,
  engine: WireRole.ENGINE,
  executor: WireRole.EXECUTOR,
};

/** A node on the wire. */
export function nodeMessage(node: HeardNode): Node {
  const { nodeName: name, bootId, state, roles, programVersion: version, grpcAddress, load, leaseLeftMs, shards, startedAtMs } = node;
  const { endedAtMs, silentMs } = node;
  return {
    ...{ name, bootId, version, grpcAddress, load },
    state: WIRE_STATE[state],
    roles: roles.map((role) => WIRE_ROLE[role]),
    leaseLeft: duration(isMember(state) ? Math.max(leaseLeftMs, 0) : 0),
    shards: shards.size,
    startedAt: timestamp(startedAtMs),
    endedAt: endedAtMs === undefined ? undefined : timestamp(endedAtMs),
    silentFor: silentMs === undefined ? undefined : duration(silentMs),
  };
}

/** Shards on the wire. */
export function shardGroupMessage({ owner, epoch, ranges }: ShardGroup): ShardGroupMessage {
  const shards = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return { node: owner?.nodeName ?? "", bootId: owner?.bootId ?? "", epoch, shards, ranges: ranges.map((range) => ({ ...range })) };
}

/** A queue on the wire. */
export function queueMessage({ queue: name, waiting, active, oldestWaitMs, executors }: QueueView): Queue {
  return { name, waiting, active, oldestWait: duration(oldestWaitMs), executors: [...executors] };
}

/** A time span on the wire, from milliseconds that are not negative. */
function duration(spanMs: number): Duration {
  const seconds = Math.floor(spanMs / 1000);
  return { seconds, nanos: Math.floor((spanMs - seconds * 1000) * 1e6) };
}
