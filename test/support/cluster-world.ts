/**
 * Nodes of a cluster in one process: real actors, real routing, one store and one bus in memory, on a virtual clock. There is no membership: the test
 * says which shard goes where, and when each node hears of it.
 */
import assert from "node:assert/strict";
import { type ClusterMap, runsSubject } from "../../actors/cluster/cluster-map.ts";
import { RoutedRuns } from "../../actors/cluster/routed-runs.ts";
import { RunServer } from "../../actors/cluster/run-server.ts";
import type { AdmissionBounds } from "../../actors/run/admission.ts";
import { type OpenRuns, openRuns } from "../../actors/run/open-runs.ts";
import type { Bus } from "../../runtime/bus/bus.ts";
import { MemoryNetwork } from "../../runtime/bus/memory-network.ts";
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import { type BootId, newBootId, type RunId, SHARD_COUNT, type Shard, shardOf } from "../../runtime/ids.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { LaneBounds } from "../../runtime/storage/lane.ts";
import { MemoryFaults } from "../../runtime/storage/memory-faults.ts";
import { openMemoryJournal } from "../../runtime/storage/memory-journal.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryTaskLedger } from "../../runtime/storage/memory-task-ledger.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { nextTurn } from "./next-turn.ts";
import { type NodeHandler, Store, Tasks } from "./runs-node.ts";

const SUBJECT = runsSubject("test");
/** Longest that a call of a test may take, in virtual milliseconds. */
const LONGEST_MS = 120_000;

/** A map that shows what the test tells it. */
class TestMap implements ClusterMap {
  readonly self: BootId;
  view: OwnershipView;
  /** What was heard of how busy nodes are. */
  readonly loads = new Map<BootId, number>();
  readonly #listeners = new Set<() => void>();
  readonly #look: () => void;

  constructor(self: BootId, view: OwnershipView, look: () => void) {
    this.self = self;
    this.view = view;
    this.#look = look;
  }

  loadOf({ bootId, load }: NodeView): number {
    return this.loads.get(bootId) ?? load;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteVersion(version: number): void {
    if (version > this.view.version) this.#look();
  }

  show(view: OwnershipView): void {
    if (view.version <= this.view.version) return;
    this.view = view;
    for (const listener of this.#listeners) listener();
  }
}

/** One node. */
export interface ClusterNode {
  readonly name: string;
  readonly bootId: BootId;
  readonly runs: RoutedRuns;
  readonly open: OpenRuns;
  readonly held: HeldShards;
  readonly map: TestMap;
  readonly server: RunServer;
  readonly bus: Bus;
  readonly faults: MemoryFaults;
  readonly tasks: Tasks;
  readonly troubles: string[];
  isAlive: boolean;
}

/** See the file header. */
export class ClusterWorld {
  readonly clock: VirtualClock = virtualClock();
  readonly store: Store;
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly nodes: ClusterNode[] = [];
  readonly #ownership: MemoryOwnership;
  readonly #handlers: Readonly<Record<string, NodeHandler>>;

  /** How much the nodes that are started from now on let in. Default: what the product does. */
  admissionBounds: AdmissionBounds | undefined;
  /** How much may wait in the journals of the nodes that are started from now on. Default: what the product lets wait. */
  journalBounds: LaneBounds | undefined;

  constructor(handlers: Readonly<Record<string, NodeHandler>> = {}, seed = 1) {
    this.random = seededRandom(seed);
    this.store = new Store(this.clock);
    this.#ownership = new MemoryOwnership(this.store.memory);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random });
    this.#handlers = handlers;
  }

  /** Nodes that were not killed. */
  get alive(): readonly ClusterNode[] {
    return this.nodes.filter(({ isAlive }) => isAlive);
  }

  /** Starts nodes; shards are dealt out in turn. */
  async begin(count: number): Promise<readonly ClusterNode[]> {
    for (let place = 0; place < count; place += 1) await this.#start(`n${place + 1}`);
    const [first, ...others] = this.nodes as [ClusterNode, ...ClusterNode[]];
    for (const [place, node] of others.entries()) await this.finish(this.move(this.#everyNth(count, place + 1), first, node));
    return this.nodes;
  }

  /** Hands shards over in good order. */
  async move(shards: Iterable<Shard>, from: ClusterNode, to: ClusterNode): Promise<void> {
    const moving = [...shards];
    await from.open.closeShards(moving);
    await this.#ownership.release(from.bootId, from.held.epochsOf(moving));
    from.held.remove(moving);
    await this.#take(moving, to);
  }

  /** Ends a node without warning: nothing of it reaches anyone any more. Its shards go to the others. */
  async kill(node: ClusterNode): Promise<void> {
    node.isAlive = false;
    node.faults.isDown = true;
    this.network.cutOff(node.name);
    await this.fence(node);
  }

  /** Takes a node's shards away and gives them to the others. A node that lives hears of it by its next write. */
  async fence(node: ClusterNode): Promise<void> {
    const shards = [...node.held.open];
    await this.#ownership.fence(node.bootId, { even: "alive" });
    const heirs = this.alive.filter((heir) => heir !== node);
    for (const [place, heir] of heirs.entries()) {
      await this.#take(
        shards.filter((_, index) => index % heirs.length === place),
        heir,
      );
    }
  }

  /** Who owns a run, by the ownership table. */
  async ownerOf(runId: RunId): Promise<ClusterNode> {
    const owner = (await this.#ownership.view()).ownerOf(shardOf(runId));
    return this.nodes.find(({ bootId }) => bootId === owner) ?? assert.fail("the shard has an owner");
  }

  /** All nodes that live look at the ownership table. */
  async look(): Promise<void> {
    const view = await this.#ownership.view();
    for (const { map } of this.alive) map.show(view);
  }

  /** Lets time pass until a promise settles. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    promise.then(over, over);
    for (let ms = 0; !isOver; ms += 1) {
      assert.ok(ms < LONGEST_MS, "a call must end");
      await nextTurn();
      await nextTurn();
      if (!isOver) this.clock.advance(1);
    }
    return promise;
  }

  /** Ends everything. */
  async end(): Promise<void> {
    for (const { runs, server, open, bus, faults } of this.nodes) {
      faults.isDown = false;
      runs.close();
      server.stop();
      await this.finish(open.close());
      await this.finish(bus.close());
    }
  }

  /** What every store must show: histories without gaps, written under epochs that never go back. */
  checkHistories(): void {
    for (const [runId, rows] of this.store.memory.rows) {
      let [nextSeq, epoch] = [1, 0];
      for (const row of rows) {
        assert.equal(row.firstSeq, nextSeq, `the history of ${runId} has no gap`);
        assert.ok(row.epoch >= epoch, `the epochs of ${runId} never go back`);
        [nextSeq, epoch] = [row.firstSeq + row.entryCount, row.epoch];
      }
    }
  }

  async #take(shards: readonly Shard[], to: ClusterNode): Promise<void> {
    const acquired = await this.#ownership.acquire(to.bootId, shards);
    to.held.add(acquired.shards);
    await this.look();
    await to.open.openShards(ShardSet.of(acquired.shards.keys()), acquired.bereft);
  }

  #everyNth(count: number, first: number): readonly Shard[] {
    return Array.from({ length: Math.ceil((SHARD_COUNT - first) / count) }, (_, place) => first + place * count);
  }

  async #start(name: string): Promise<void> {
    const { clock, store } = this;
    const random = seededRandom(this.random.uint32());
    const events = new EventHub();
    const bootId = newBootId(random);
    const { shards, bereft } = await this.#ownership.join({ bootId, nodeName: name, lanes: 1, leaseMs: 60_000 });
    const held = new HeldShards(shards);
    const faults = new MemoryFaults();
    const journal = await openMemoryJournal({ store: store.memory, bootId, held, clock, random, events, faults, bounds: this.journalBounds });
    const tasks = new Tasks(this.#handlers);
    const troubles: string[] = [];
    const open = await this.finish(
      openRuns({
        ...{ nodeName: name, clock, random, events, journal, held, bereft, idleMs: 60_000, admissionBounds: this.admissionBounds },
        pool: tasks,
        ...{ bootId, taskSlots: new MemoryTaskSlots(store.memory) },
        ledger: new MemoryTaskLedger(store.memory),
        evaluator: { evaluate: async () => ({ value: "external" }), check: async () => undefined, close: async () => undefined },
        workflow: async (id) => {
          const workflow = store.workflows.get(id);
          if (workflow === undefined) throw new MaestroError("WORKFLOW_NOT_FOUND", { facts: { workflow: id } });
          return workflow;
        },
        onFenced: () => undefined,
        onTrouble: (what, error) => troubles.push(`${what}: ${error}`),
      }),
    );
    const bus = this.network.join(name, events);
    const view = await this.#ownership.view();
    const map = new TestMap(bootId, view, () => void this.#ownership.view().then((newest) => map.show(newest)));
    const local = open.runs;
    const runs = new RoutedRuns({ bus, map, subject: SUBJECT, clock, random, local, gate: open.gate });
    const server = new RunServer({ bus, map, subject: SUBJECT, clock, local });
    server.start();
    this.nodes.push({ name, bootId, runs, open, held, map, server, bus, faults, tasks, troubles, isAlive: true });
    await this.look();
  }
}
