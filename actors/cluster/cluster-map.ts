/**
 * Where runs live, as routing sees it: who owns which shard, as far as this node knows. It may be behind the truth, which is the ownership table; whoever is
 * asked in vain says so, and the map catches up.
 */
import type { BootId } from "../../runtime/ids.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";

/** The map of one node. */
export interface ClusterMap {
  /** This node's boot. */
  readonly self: BootId;
  /** The newest snapshot that this node has seen. */
  readonly view: OwnershipView;
  /** How busy a node is, as was last heard; of this one, as it is. 0 idle, 1 full. */
  loadOf(node: NodeView): number;
  /** Calls back after each change of {@link view}; the returned function ends it. */
  onChange(listener: () => void): () => void;
  /** Another node knows a newer version: there is something to look at. Costs nothing when that is seen already. */
  noteVersion(version: number): void;
}

/** Subject on the bus on which a boot serves calls about its runs. */
export type RunsSubject = (bootId: BootId) => string;

/** Subjects of a cluster. Part of the protocol between nodes: must not change. */
export function runsSubject(cluster: string): RunsSubject {
  return (bootId) => `maestro.${cluster}.node.${bootId}.runs`;
}
