/**
 * Ownership in memory. Each call happens at one moment, so changes take turns by themselves.
 */
import { FIRST_DIALECT } from "../dialect.ts";
import type { BootId, Shard } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import { planJoin } from "./join-rules.ts";
import type { MemoryNode, MemoryStore } from "./memory-store.ts";
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
import { type NodeView, OwnershipView } from "./ownership-view.ts";
import { ShardSet } from "./shard-set.ts";

/** The ownership table. For tests and simulation. */
export class MemoryOwnership implements Ownership {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async join(request: JoinRequest): Promise<Joined> {
    const { nodes, clock } = this.#store;
    const { bootId, nodeName, leaseMs, roles = NODE_ROLES, programVersion = "", grpcAddress = "", isAlone = false, isStarting = false } = request;
    const { dialect = FIRST_DIALECT } = request;
    const nowMs = clock.now();
    const { staying, takesAll } = planJoin(this.#members(), request, nowMs);
    const isDraining = isStarting && !takesAll;
    for (const member of this.#members()) if (!staying.includes(member.bootId)) this.#end(member, "lost");
    nodes.set(bootId, {
      ...{ bootId, nodeName, roles, programVersion, dialect, grpcAddress, isAlone },
      ...{ leaseUntilMs: nowMs + leaseMs, startedAtMs: nowMs, load: 0, end: undefined, isFenced: false },
      ...{ isStarting: isDraining, isDrainWanted: false },
    });
    const { shards, bereft } = this.#take(bootId, takesAll ? ShardSet.all : ShardSet.none);
    return { version: this.#raiseVersion(), shards, bereft, isDraining };
  }

  async renew(bootId: BootId, { leaseMs, load }: RenewRequest): Promise<Renewed> {
    const { ownershipVersion: version, clock } = this.#store;
    const storeTimeMs = clock.now();
    const node = this.#member(bootId);
    if (node === undefined) return { isMember: false, version, expired: [], storeTimeMs };
    node.leaseUntilMs = storeTimeMs + leaseMs;
    node.load = load;
    const expired = this.#members().filter((other) => other !== node && other.leaseUntilMs <= storeTimeMs);
    return { isMember: true, version, expired: expired.map((other) => other.bootId), storeTimeMs };
  }

  async view(): Promise<OwnershipView> {
    const newest = new Map<string, MemoryNode>();
    for (const node of this.#store.nodes.values()) newest.set(node.nodeName, node);
    const nodes = [...newest.values()].map((node) => this.#viewOf(node));
    return new OwnershipView(this.#store.ownershipVersion, nodes);
  }

  async acquire(bootId: BootId, shards: Iterable<Shard>): Promise<Acquired> {
    if (this.#member(bootId) === undefined) return { shards: new Map(), bereft: ShardSet.none };
    const { isChange, ...acquired } = this.#take(bootId, shards);
    if (isChange) this.#raiseVersion();
    return acquired;
  }

  async release(bootId: BootId, shards: ShardEpochs, bereft = ShardSet.none): Promise<number> {
    if (this.#member(bootId) === undefined) return 0;
    const kept = new Map(this.#ownedBy(bootId));
    let released = 0;
    for (const [shard, epoch] of shards) {
      const stored = this.#store.shards.get(shard);
      if (stored?.owner !== bootId || stored.epoch !== epoch) continue;
      stored.owner = undefined;
      stored.isBereft &&= bereft.has(shard);
      kept.delete(shard);
      released++;
    }
    if (released === 0) return 0;
    this.#store.owned.set(bootId, kept);
    this.#raiseVersion();
    return released;
  }

  async fence(bootId: BootId, { even }: { readonly even?: "alive" } = {}): Promise<boolean> {
    const node = this.#member(bootId);
    if (node === undefined || (even !== "alive" && node.leaseUntilMs > this.#store.clock.now())) return false;
    this.#end(node, "lost");
    this.#raiseVersion();
    return true;
  }

  async leave(bootId: BootId): Promise<void> {
    const node = this.#member(bootId);
    if (node === undefined) return;
    this.#end(node, "released");
    this.#raiseVersion();
  }

  async announce(bootId: BootId, { isDraining, hasStarted, grpcAddress }: Announcement): Promise<boolean> {
    const node = this.#member(bootId);
    if (node === undefined) return false;
    node.isDrainWanted = isDraining ?? node.isDrainWanted;
    if (hasStarted === true) node.isStarting = false;
    node.grpcAddress = grpcAddress ?? node.grpcAddress;
    this.#raiseVersion();
    return true;
  }

  #members(): readonly MemoryNode[] {
    return [...this.#store.nodes.values()].filter((node) => node.end === undefined).sort((a, b) => b.leaseUntilMs - a.leaseUntilMs);
  }

  #member(bootId: BootId): MemoryNode | undefined {
    const node = this.#store.nodes.get(bootId);
    return node?.end === undefined && node?.isFenced === false ? node : undefined;
  }

  #take(bootId: BootId, asked: Iterable<Shard>): Acquired & { readonly isChange: boolean } {
    const { shards, nodes } = this.#store;
    const got = new Map<Shard, number>();
    const bereft: Shard[] = [];
    let isChange = false;
    for (const shard of asked) {
      const stored = shards.get(shard);
      const owner = stored?.owner === undefined ? undefined : nodes.get(stored.owner);
      if (owner?.isFenced === false && owner.bootId !== bootId) continue;
      const isNew = owner?.bootId !== bootId;
      const next =
        isNew || stored === undefined
          ? { owner: bootId, epoch: (stored?.epoch ?? 0) + 1, isBereft: owner === undefined ? stored?.isBereft === true : owner.end?.how === "lost" }
          : stored;
      shards.set(shard, next);
      got.set(shard, next.epoch);
      if (next.isBereft) bereft.push(shard);
      isChange ||= isNew;
    }
    if (isChange) this.#store.owned.set(bootId, new Map([...this.#ownedBy(bootId), ...got]));
    return { shards: got, bereft: ShardSet.of(bereft), isChange };
  }

  #viewOf(node: MemoryNode): NodeView {
    const { bootId, nodeName, roles, isStarting, dialect, programVersion, grpcAddress, load, startedAtMs, end: ended, leaseUntilMs } = node;
    return {
      ...{ bootId, nodeName, roles, isStarting, dialect, programVersion, grpcAddress, load, startedAtMs },
      state: ended?.how ?? (isDrainingNow(node) ? "draining" : "live"),
      endedAtMs: ended?.atMs,
      leaseLeftMs: leaseUntilMs - this.#store.clock.now(),
      shards: ended === undefined ? this.#ownedBy(bootId) : new Map(),
    };
  }

  #ownedBy(bootId: BootId): ShardEpochs {
    return this.#store.owned.get(bootId) ?? new Map();
  }

  #end(node: MemoryNode, how: "released" | "lost"): void {
    node.end = { how, atMs: this.#store.clock.now() };
    node.isFenced = true;
  }

  #raiseVersion(): number {
    return ++this.#store.ownershipVersion;
  }
}

function isDrainingNow({ isStarting, isDrainWanted }: MemoryNode): boolean {
  return isStarting || isDrainWanted;
}
