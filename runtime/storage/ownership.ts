/**
 * The port of ownership: which boot may write. A boot claims shards by fencing their previous owner and raising their epoch in one
 * transaction; from then on no batch of the previous owner can commit. Leases are politeness (they tell others not to take over from a
 * healthy node); safety rests on the fence alone.
 */
import type { BootId, Shard } from "../ids.ts";

/** Who claims. */
export interface ClaimRequest {
  readonly bootId: BootId;
  /** Stable name of the node. A new boot of the same name takes over from the previous one at once. */
  readonly nodeName: string;
  /** How many writer lanes the boot has; each gets a fence row. */
  readonly lanes: number;
  /** How long the lease holds without renewal, in milliseconds, by the database's clock. */
  readonly leaseMs: number;
}

/** The shards that a boot owns, and since which epoch. */
export interface Claim {
  /** Epoch of a shard; it grows by one with each change of owner. */
  epochOf(shard: Shard): number;
  /** True if the previous owner did not release them: it died, or stands still. */
  readonly isAfterLoss: boolean;
}

/** The ownership table. */
export interface Ownership {
  /**
   * Fences the previous owner of all shards and takes them over.
   *
   * @throws OWNED_ELSEWHERE a node of another name holds a lease that has not ended.
   */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Renews the lease. Answers false if this boot was fenced: it must stop. */
  renew(bootId: BootId, leaseMs: number): Promise<boolean>;
  /** Gives the shards up after the last write was committed, so that the next owner need not wait for the lease. */
  release(bootId: BootId): Promise<void>;
}
