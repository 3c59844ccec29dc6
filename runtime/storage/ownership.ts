/**
 * The port of ownership: which boots there are, and which of them may write which shards. Safety rests on it alone: a shard changes hands by its
 * owner's own release, or after every lane of its owner was fenced, from when on no batch of that owner can commit. Each change of owner raises the
 * shard's epoch. Leases are politeness: they say from when on a boot may be fenced by others; time is the store's own.
 *
 * Changes take turns, and each raises the version, so that whoever knows the version knows whether to look again. Every adapter passes
 * `test/conformance/ownership.ts`.
 */
import type { BootId, Shard } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { OwnershipView } from "./ownership-view.ts";
import type { ShardSet } from "./shard-set.ts";

/** What a node does for others: takes calls, owns runs, executes tasks. */
export type NodeRole = "gateway" | "engine" | "executor";

/** Every role. */
export const NODE_ROLES: readonly NodeRole[] = ["gateway", "engine", "executor"];

/** Who joins. */
export interface JoinRequest {
  readonly bootId: BootId;
  /** Stable name of the node. A new boot of the same name takes the place of the previous one at once. */
  readonly nodeName: string;
  /** How many writer lanes the boot has; each gets a fence row. */
  readonly lanes: number;
  /** How long the lease holds without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** Default: all. Shards go to engines. */
  readonly roles?: readonly NodeRole[];
  /** For operators. Default: none. */
  readonly programVersion?: string;
  /** What it understands; see {@link FIRST_DIALECT}, which is the default. */
  readonly dialect?: number;
  /** `host:port` at which clients reach the gateway. Default: none; see {@link Ownership.announce}. */
  readonly grpcAddress?: string;
  /** True: this node can't reach others, nor others it, so it shares the store with none. Default false. */
  readonly isAlone?: boolean;
  /** True: it can't act for shards yet, so unless it gets all of them now it is draining until it announces that it has started. Default false. */
  readonly isStarting?: boolean;
}

/** Shards that a boot got. */
export interface Acquired {
  readonly shards: ShardEpochs;
  /** Those of them whose owner before was lost: it died, or stands still, and what it had under way is gone. */
  readonly bereft: ShardSet;
}

/** What a boot got as it joined: all shards if there was no other engine; else none. */
export interface Joined extends Acquired {
  /** It is draining as it begins: see {@link JoinRequest.isStarting}. */
  readonly isDraining: boolean;
  readonly version: number;
}

/** What a boot says with each renewal. */
export interface RenewRequest {
  readonly leaseMs: number;
  /** The share of what it can take that it has under way: 0 idle, 1 full. */
  readonly load: number;
}

/** What a boot is told with each renewal. */
export interface Renewed {
  /** False: it was fenced, or left. It must stop. */
  readonly isMember: boolean;
  /** Of the ownership; whoever knows a smaller one should look at {@link Ownership.view}. */
  readonly version: number;
  /** Other boots that may be fenced: their leases have ended. No version tells of that, for nothing was changed. */
  readonly expired: readonly BootId[];
  /** What the store's wall clock showed while the renewal was under way, in milliseconds since the epoch. */
  readonly storeTimeMs: number;
}

/** What a boot tells the others. What is absent stays as it is. */
export interface Announcement {
  /** True: it should be given no more shards, and hands its own over. One that is starting is not given any before it has started, whatever is said here. */
  readonly isDraining?: boolean;
  /** It can act for shards from now on: it is draining only if somebody said so meanwhile. */
  readonly hasStarted?: true;
  readonly grpcAddress?: string;
}

/** The ownership table. */
export interface Ownership {
  /**
   * Enters a boot. Earlier boots of the same node are fenced; those of others whose leases have ended, too, if they or this one are alone. If no
   * other engine is left, the boot owns all shards at once.
   *
   * @throws OWNED_ELSEWHERE a node of another name holds a lease, and it or this one is alone.
   */
  join(request: JoinRequest): Promise<Joined>;
  /** Extends the lease from now on, also one that has ended, as long as nobody fenced the boot. Waits for no change of ownership. */
  renew(bootId: BootId, request: RenewRequest): Promise<Renewed>;
  /** How things stand. */
  view(): Promise<OwnershipView>;
  /**
   * Takes those of `shards` that are free: that have no owner, or whose owner is fenced. Others are passed over. What the boot owns already is
   * answered too, unchanged, so that a call whose answer was lost can be repeated. A boot that is no member gets nothing.
   */
  acquire(bootId: BootId, shards: Iterable<Shard>): Promise<Acquired>;
  /**
   * Gives those of `shards` up that the boot owns under the epochs named, and answers how many these were: a call that comes late takes nothing that the boot
   * has acquired since. Before, it has to see to it that it writes none of them any more: see {@link HeldShards}. One that is no member any more has none.
   * `bereft`: those that it had taken from a lost owner, and in which it has not dealt with that yet: whoever acquires them is told as if it had taken them
   * from that owner itself. Default: none.
   */
  release(bootId: BootId, shards: ShardEpochs, bereft?: ShardSet): Promise<number>;
  /**
   * Takes a boot over: fences all of its lanes, waiting for the batches that it has under way, and marks it lost. Its shards are free then. Answers
   * false, and does nothing, if it is no member any more or its lease holds. `even: "alive"`: on an operator's word, whatever its lease.
   */
  fence(bootId: BootId, options?: { readonly even?: "alive" }): Promise<boolean>;
  /** Ends a boot in order: its lanes are fenced, its shards are free. Doing so again changes nothing. */
  leave(bootId: BootId): Promise<void>;
  /** Changes what others see of a boot; anybody may. Answers false if it is no member. */
  announce(bootId: BootId, announcement: Announcement): Promise<boolean>;
}
