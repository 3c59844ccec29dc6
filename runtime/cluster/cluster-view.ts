/**
 * What convergence needs to know of the cluster: a snapshot of the ownership at one moment. The ownership's own view is one.
 */
import type { BootId, Shard } from "../ids.ts";

/** A boot as its cluster sees it. */
export interface ClusterNode {
  readonly bootId: BootId;
  readonly nodeName: string;
  /** `live` and `draining` are members; the others have ended. */
  readonly state: "live" | "draining" | "released" | "lost";
  /** What it does for others; shards belong to engines. */
  readonly roles: readonly string[];
}

/** True if a boot in this state is a member. */
export function isMember(state: ClusterNode["state"]): boolean {
  return state === "live" || state === "draining";
}

/** Those that a node's shards can go to as it leaves: the other engines that are there to stay. */
export function heirsOf<Node extends ClusterNode>({ nodes }: { readonly nodes: readonly Node[] }, leaving: BootId): readonly Node[] {
  return nodes.filter(({ bootId, state, roles }) => bootId !== leaving && state === "live" && roles.includes("engine"));
}

/** The snapshot. */
export interface ClusterView {
  /** Grows with each change of what is here. */
  readonly version: number;
  readonly nodes: readonly ClusterNode[];
  /** The boot that owns the shard, or undefined if it is free. */
  ownerOf(shard: Shard): BootId | undefined;
}
