/**
 * How the ownership stands at one moment: a snapshot that never changes, with the version that it belongs to. Of two, the one of the larger version
 * is the newer. Leases and loads change without a version.
 */
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { NodeRole } from "./ownership.ts";

/**
 * What became of a boot: a member is `live` or `draining`; one that left in order is `released`, one that was fenced `lost`.
 */
export type NodeState = "live" | "draining" | "released" | "lost";

/** A boot of a node. */
export interface NodeView {
  readonly bootId: BootId;
  readonly nodeName: string;
  readonly state: NodeState;
  /** Milliseconds until its lease ends, by the store's clock; 0 or less: it has ended, and the boot may be fenced. */
  readonly leaseLeftMs: number;
  readonly roles: readonly NodeRole[];
  /** It has joined, and is draining until it can act for shards. */
  readonly isStarting: boolean;
  /** Empty if it was not told. */
  readonly programVersion: string;
  /** What it understands. */
  readonly dialect: number;
  /** `host:port`; empty if it was not told. */
  readonly grpcAddress: string;
  /** The share of what it can take that it has under way. */
  readonly load: number;
  /** When it joined, milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** When it left or was fenced, milliseconds since the epoch; undefined for a member. */
  readonly endedAtMs: number | undefined;
  /** The shards that it owns; none if it is no member. */
  readonly shards: ShardEpochs;
}

/** The snapshot. */
export class OwnershipView {
  readonly version: number;
  /** Of each node the newest boot, by name; those that are no members only for some time after their end. */
  readonly nodes: readonly NodeView[];
  /** What every member understands; Infinity without any. */
  readonly dialect: number;
  readonly #owners = new Array<NodeView | undefined>(SHARD_COUNT).fill(undefined);

  constructor(version: number, nodes: readonly NodeView[]) {
    this.version = version;
    this.nodes = nodes.toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
    for (const node of nodes) for (const shard of node.shards.keys()) this.#owners[shard] = node;
    const members = nodes.filter(({ state }) => state === "live" || state === "draining");
    this.dialect = Math.min(...members.map(({ dialect }) => dialect));
    Object.freeze(this);
  }

  /** The boot that owns the shard, or undefined if it is free. */
  ownerOf(shard: Shard): BootId | undefined {
    return this.#owners[shard]?.bootId;
  }

  /** The epoch of the shard under its owner; 0 if it is free. */
  epochOf(shard: Shard): number {
    return this.#owners[shard]?.shards.get(shard) ?? 0;
  }

  /** The node's newest boot, or undefined. */
  find(bootId: BootId): NodeView | undefined {
    return this.nodes.find((node) => node.bootId === bootId);
  }
}
