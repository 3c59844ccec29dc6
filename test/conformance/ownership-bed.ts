/** What the suites of ownership work with. */
import { type BootId, SHARD_COUNT } from "../../runtime/ids.ts";
import type { Joined, JoinRequest, Ownership } from "../../runtime/storage/ownership.ts";
import type { StorageBed } from "./bed.ts";

/** The bed of the current test, and short ways to join. */
export interface OwnershipBed {
  readonly bed: () => StorageBed;
  readonly ownership: () => Ownership;
  /** The ownership as another node has it. */
  another(): Promise<Ownership>;
  /** Joins as a new boot of a node, in a cluster. The lease: a minute. `through`: default {@link OwnershipBed.ownership}. */
  join(nodeName: string, more?: Partial<JoinRequest>, through?: Ownership): Promise<Joined & { readonly bootId: BootId }>;
  /** A new id of a boot that never joined. */
  stranger(): BootId;
}

/** Every shard. */
export const ALL = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);

/** A lease that ends at once. */
export const OVER = { leaseMs: 0 };
