/**
 * A cluster of memberships in one thread, on a virtual clock: one ownership table, a network in memory, and nodes that act for shards and notice if two of
 * them do so at a time.
 */
import assert from "node:assert/strict";
import type { Bus } from "../../runtime/bus/bus.ts";
import { MemoryNetwork } from "../../runtime/bus/memory-network.ts";
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import { LeaseRenewal } from "../../runtime/cluster/lease-renewal.ts";
import { Membership } from "../../runtime/cluster/membership.ts";
import { Placement } from "../../runtime/cluster/placement.ts";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { type BootId, newBootId, SHARD_COUNT, type Shard } from "../../runtime/ids.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import type { Announcement, Ownership } from "../../runtime/storage/ownership.ts";
import type { OwnershipView } from "../../runtime/storage/ownership-view.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { nextTurn } from "./next-turn.ts";

const STEP_MS = 10;
const LEASE_MS = 3_000;
const HAND_OFF_MS = 20;
/** Longest time that a call of the ownership, or its answer, is on its way. */
const LATENCY_MS = 20;

/** A node of the world. */
export interface WorldNode {
  readonly name: string;
  readonly bootId: BootId;
  readonly membership: Membership;
  readonly renewal: LeaseRenewal;
  readonly bus: Bus;
  readonly acting: Set<Shard>;
  readonly handedOff: (readonly Shard[])[];
  readonly fenced: RuntimeEvents["cluster.fenced"][];
  /** How often it was told that a peer may be about to be lost. */
  suspicions: number;
  readonly unheard: RuntimeEvents["cluster.unheard"][];
  readonly storeFailures: RuntimeEvents["cluster.storeFailed"][];
  readonly renewals: { done: number; failed: number };
  lost: number;
  /** `away`: calls of the ownership are refused; `dead`: they never return. */
  store: "there" | "away" | "dead";
}

/** The world. */
export class MembershipWorld {
  readonly clock: VirtualClock = virtualClock();
  readonly #random: Random;
  readonly network: MemoryNetwork;
  readonly #store = new MemoryStore(this.clock);
  readonly #ownership: Ownership = new MemoryOwnership(this.#store);
  readonly nodes: WorldNode[] = [];
  /** Moments in which two nodes that could write acted for a shard: must stay empty. */
  readonly conflicts: string[] = [];

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.#random });
  }

  /** Starts a node; it begins with what the table gives it as it joins. */
  async start(name: string): Promise<WorldNode> {
    const node = await this.join(name);
    node.membership.start();
    return node;
  }

  /** A node that has joined, and gets no further with its start until its membership is started. */
  async join(name: string): Promise<WorldNode> {
    const bootId = newBootId(this.#random);
    const events = new EventHub();
    const bus = this.network.join(name, events);
    const ownership = this.#throughSwitch(() => node.store);
    const joined = await this.#ownership.join({ bootId, nodeName: name, lanes: 1, leaseMs: LEASE_MS, isStarting: true });
    const renewal = new LeaseRenewal({ ownership, bootId, leaseMs: LEASE_MS, clock: this.clock, events, onLost: () => void node.lost++ });
    renewal.start();
    const membership = new Membership({
      ...{ ownership, bus, clock: this.clock, events, clusterName: "test", bootId, renewal, joined },
      load: () => this.nodes.indexOf(node) / 10,
      onSuspicion: () => void node.suspicions++,
      onAcquired: ({ shards }) => this.#act(node, shards.keys()),
      handOff: (shards) => this.#handOff(node, shards),
      onReleased: (shards) => void node.handedOff.push(shards),
    });
    const node: WorldNode = {
      ...{
        name,
        bootId,
        membership,
        renewal,
        bus,
        acting: new Set(),
        handedOff: [],
        fenced: [],
        unheard: [],
        storeFailures: [],
        renewals: { done: 0, failed: 0 },
        lost: 0,
        suspicions: 0,
      },
      store: "there",
    };
    events.on("cluster.fenced", (event) => node.fenced.push(event));
    events.on("cluster.unheard", (event) => node.unheard.push(event));
    events.on("cluster.storeFailed", (event) => node.storeFailures.push(event));
    events.on("lease.renewed", () => node.renewals.done++);
    events.on("lease.failed", () => node.renewals.failed++);
    this.nodes.push(node);
    this.#act(node, joined.shards.keys());
    return node;
  }

  /** Changes what others see of a node, as an operator does. */
  async announce({ bootId }: WorldNode, announcement: Announcement): Promise<void> {
    await this.#ownership.announce(bootId, announcement);
  }

  /** How the ownership stands. */
  look(): Promise<OwnershipView> {
    return this.#ownership.view();
  }

  /** Ends a node in order, as the stages of a stopping node do. */
  async end(node: WorldNode): Promise<void> {
    await node.membership.stop();
    await node.renewal.stop();
    await this.#ownership.leave(node.bootId);
  }

  /** Ends a node without a word. */
  kill(node: WorldNode): void {
    node.store = "dead";
    this.network.cutOff(node.name);
  }

  /** Lets time go by. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      this.clock.advance(STEP_MS);
      await nextTurn();
    }
  }

  /** Lets time go by until something is so; answers how much, and fails after `timeoutMs`. */
  async passUntil(what: string, condition: () => boolean, timeoutMs: number): Promise<number> {
    const startMs = this.clock.monotonic();
    while (!condition()) {
      if (this.clock.monotonic() - startMs >= timeoutMs) assert.fail(`after ${timeoutMs} ms of virtual time: not ${what}`);
      await this.pass(STEP_MS);
    }
    return this.clock.monotonic() - startMs;
  }

  /** True if these nodes act for all shards, each for those that belong to it among them. */
  isPlaced(...nodes: readonly WorldNode[]): boolean {
    const placement = new Placement(nodes.map(({ name }) => name));
    const byName = new Map(nodes.map((node) => [node.name, node]));
    for (let shard = 0; shard < SHARD_COUNT; shard++) if (!byName.get(placement.ownerOf(shard) ?? "")?.acting.has(shard)) return false;
    return nodes.reduce((sum, { acting }) => sum + acting.size, 0) === SHARD_COUNT;
  }

  /** Stops all nodes. */
  async stop(): Promise<void> {
    const stopping = Promise.all(
      this.nodes.flatMap((node) => (node.store === "dead" ? [] : [node.membership.stop(), node.renewal.stop(), node.bus.close()])),
    );
    await this.pass(5_000);
    await stopping;
  }

  #act(node: WorldNode, shards: Iterable<Shard>): void {
    for (const shard of shards) {
      const other = this.nodes.find((candidate) => candidate !== node && this.#canWrite(candidate) && candidate.acting.has(shard));
      if (other !== undefined) this.conflicts.push(`shard ${shard}: ${node.name} beside ${other.name}`);
      node.acting.add(shard);
    }
  }

  /** A boot that was fenced may not know yet, and act on; it can write nothing. */
  #canWrite(node: WorldNode): boolean {
    return this.#store.nodes.get(node.bootId)?.isFenced === false;
  }

  async #handOff(node: WorldNode, shards: readonly Shard[]): Promise<ShardSet> {
    await new Promise<void>((resolve) => this.clock.schedule(HAND_OFF_MS, resolve));
    for (const shard of shards) node.acting.delete(shard);
    return ShardSet.none;
  }

  /** The time that a call or its answer takes. */
  #onTheWay(): Promise<void> {
    return new Promise((resolve) => this.clock.schedule(this.#random.fraction() * LATENCY_MS, resolve));
  }

  /** The ownership as one node reaches it. */
  #throughSwitch(state: () => WorldNode["store"]): Ownership {
    const pass = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.#onTheWay();
      if (state() === "dead") return new Promise<T>(() => undefined);
      if (state() === "away") throw new Error("the store is away");
      const answer = await call();
      await this.#onTheWay();
      return answer;
    };
    const table = this.#ownership;
    return {
      join: (request) => pass(() => table.join(request)),
      renew: (bootId, renewal) => pass(() => table.renew(bootId, renewal)),
      view: () => pass(() => table.view()),
      acquire: (bootId, shards) => pass(() => table.acquire(bootId, shards)),
      release: (bootId, shards, bereft) => pass(() => table.release(bootId, shards, bereft)),
      fence: (bootId, options) => pass(() => table.fence(bootId, options)),
      leave: (bootId) => pass(() => table.leave(bootId)),
      announce: (bootId, announcement) => pass(() => table.announce(bootId, announcement)),
    };
  }
}
