/**
 * One boot of a node, put together as the composition root does it, with the same parts in the same order of start and stop: only what is outside of the process is
 * simulated. The only file that knows how a node is assembled here.
 */
import { type ClusterMap, runsSubject } from "../../actors/cluster/cluster-map.ts";
import { RoutedRuns } from "../../actors/cluster/routed-runs.ts";
import { RunServer } from "../../actors/cluster/run-server.ts";
import { EventPublisher } from "../../actors/events/event-publisher.ts";
import type { Workflow } from "../../actors/language/model.ts";
import { type OpenRuns, openRuns } from "../../actors/run/open-runs.ts";
import type { Runs } from "../../actors/runs.ts";
import { LeaseKeeper } from "../../ops/lease-keeper.ts";
import type { Bus } from "../../runtime/bus/bus.ts";
import { within } from "../../runtime/bus/within.ts";
import { Membership } from "../../runtime/cluster/membership.ts";
import { EventHub } from "../../runtime/events.ts";
import { Exchange } from "../../runtime/exchange/exchange.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { Lane } from "../../runtime/storage/lane.ts";
import { LanedJournal } from "../../runtime/storage/laned-journal.ts";
import { LargePayloads } from "../../runtime/storage/large-payloads.ts";
import { MemoryTaskLedger } from "../../runtime/storage/memory-task-ledger.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import type { Acquired, Joined, Ownership } from "../../runtime/storage/ownership.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Surroundings } from "./surroundings.ts";

const CLUSTER = "simulation";
/** As the product's: a lease, and how long the stages of a stop may take. */
const LEASE_MS = 3_000;
const DRAIN_MS = 60_000;
const STAGE_MS = 15_000;
const CALL_GRACE_MS = 3_000;
const TASK_GRACE_MS = 5_000;
const TASK_POLL_MS = 20;
const BUS_DRAIN_MS = 3_000;
const EVENTS_GRACE_MS = 2_000;
/** Nobody is in a hurry. */
const PATIENT = new AbortController().signal;
/** Tasks that a node executes at a time: so few that others have to help. */
const SLOTS = 3;

/** What a boot needs. */
export interface SimulatedNodeOptions {
  readonly nodeName: string;
  readonly bootId: BootId;
  readonly process: SimulatedProcess;
  readonly random: Random;
  readonly surroundings: Surroundings;
  readonly pool: WorkerPool;
  workflow(id: string): Promise<Workflow>;
  /** Something in it failed and is tried again, or went wrong at a stop. */
  onTrouble(what: string, error: unknown): void;
}

/** A boot. */
export class SimulatedNode implements ClusterMap {
  readonly self: BootId;
  readonly nodeName: string;
  readonly process: SimulatedProcess;
  readonly events = new EventHub();
  readonly #options: SimulatedNodeOptions;
  readonly #listeners = new Set<() => void>();
  /** What to do at the end, the latest first. */
  readonly #stages: (() => Promise<void>)[] = [];
  #view: OwnershipView | undefined;
  #open: OpenRuns | undefined;
  #routed: RoutedRuns | undefined;
  #membership: Membership | undefined;
  #exchange: Exchange | undefined;
  /** Ends the renewals that go on after those of membership. */
  #endLease: () => Promise<void> = () => Promise.resolve();
  #isFenced = false;
  #isUnsettled = false;
  #stopping: Promise<void> | undefined;
  /** True while clients are served. */
  isServing = false;
  /** Calls of clients that are under way. */
  calls = 0;

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.self = options.bootId;
    this.nodeName = options.nodeName;
    this.process = options.process;
  }

  /** The runs of the whole cluster. */
  get runs(): Runs {
    return present(this.#routed);
  }

  /** What runs here. */
  get open(): OpenRuns {
    return present(this.#open);
  }

  get view(): OwnershipView {
    return present(this.#view);
  }

  loadOf({ bootId, load }: NodeView): number {
    return bootId === this.self ? this.open.fullness : (this.#membership?.loadOf(bootId) ?? load);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteVersion(version: number): void {
    this.#membership?.noteVersion(version);
  }

  /** Starts; if a stage fails, the process ends. */
  async start(): Promise<void> {
    try {
      await this.#start();
      this.isServing = this.#stopping === undefined;
    } catch (error) {
      this.#options.onTrouble("the start", error);
      this.process.crash();
    }
  }

  /** Stops in order, and ends the process. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { random, surroundings, workflow, nodeName, onTrouble } = this.#options;
    const { process, self: bootId, events } = this;
    const { clock, scheduler } = process;
    const link = surroundings.link(process);
    const { ownership } = link;
    const joined = await ownership.join({ bootId, nodeName, lanes: 1, leaseMs: LEASE_MS, isStarting: true });
    const keeper = new LeaseKeeper({ ownership, bootId, leaseMs: LEASE_MS, clock, events, onLost: () => this.#fence() });
    keeper.start();
    this.#stages.push(async () => {
      await keeper.stop();
      await this.#endLease();
      if (!this.#isUnsettled) await ownership.leave(bootId);
    });
    const held = new HeldShards(joined.shards);
    const defer = (callback: () => void): void => scheduler.afterIo(callback);
    const { reader } = link;
    const lane = new Lane({ lane: 0, store: link.batches(bootId, held), held, clock, random, events, defer });
    const journal = new LanedJournal({ bootId, lanes: [lane], held, reader, large: new LargePayloads(undefined, clock), events, defer });
    this.#stages.push(() => journal.close());
    const bus = surroundings.joinBus(process, events);
    const exchange = new Exchange({
      ...{ bus, clock, random, events, clusterName: CLUSTER, self: bootId, slots: SLOTS, serves: [] },
      ...{ local: this.#options.pool, knows: (handler) => this.#options.pool.handlers.has(handler) },
    });
    const { pool } = exchange;
    this.#exchange = exchange;
    this.#stages.push(() => {
      exchange.stop();
      return bus.drain(BUS_DRAIN_MS);
    });
    this.#stages.push(() => pool.stop(0));
    const source = { journal, events, workflow };
    const checkpoints = link.checkpoints;
    const openWriter = surroundings.streamOf(process);
    const publisher = new EventPublisher({ clock, events, bootId, heldShards: held, level: "tasks", checkpoints, source, openWriter });
    await publisher.start();
    this.#stages.push(() => publisher.close(this.#isFenced ? 0 : EVENTS_GRACE_MS));
    const ledger = new MemoryTaskLedger(surroundings.database.memory);
    const evaluator = { evaluate: async () => ({ fault: "not simulated" }), check: async () => undefined, close: async () => undefined };
    const taskSlots = new MemoryTaskSlots(surroundings.database.memory);
    this.#open = await openRuns({
      ...{ bootId, taskSlots },
      ...{ nodeName, clock, scheduler, random, events, journal, ledger, pool, evaluator, held, workflow, onTrouble },
      ...{ bereft: joined.bereft, outlet: publisher, onFenced: () => this.#fence() },
    });
    this.#stages.push(() => this.#closeRuns(pool));
    this.#view = await ownership.view();
    await this.#join({ ownership, joined, held, bus, publisher, keeper, journal });
    await ownership.announce(bootId, { grpcAddress: process.name });
    this.#stages.push(() => this.#endCalls());
  }

  async #join({ ownership, joined, held, bus, publisher, keeper }: ClusterParts): Promise<void> {
    const { random, onTrouble } = this.#options;
    const { process, self: bootId, events, open } = this;
    const { clock } = process;
    const [local, subject] = [open.runs, runsSubject(CLUSTER)];
    const routed = new RoutedRuns({ bus, map: this, subject, clock, random, local, gate: open.gate });
    const server = new RunServer({ bus, map: this, subject, clock, local });
    server.start();
    const membership = new Membership({
      ...{ ownership, bus, clock, events, joined, bootId, clusterName: CLUSTER, leaseMs: LEASE_MS },
      load: () => open.fullness,
      onLost: () => this.#fence(),
      onView: (view) => this.#show(view),
      onAcquired: (acquired) => this.#acquired(acquired, held, publisher, onTrouble),
      handOff: async (shards) => {
        const bereft = await open.closeShards(shards);
        await publisher.leave(shards);
        return bereft;
      },
      onReleased: (shards) => held.remove(shards),
    });
    this.#membership = membership;
    const lease = { ownership, bootId, leaseMs: LEASE_MS, clock, events, onLost: () => this.#fence() };
    const back = new LeaseKeeper({ ...lease, load: 1 });
    this.#endLease = () => back.stop();
    this.#routed = routed;
    this.#stages.push(async () => {
      server.stop();
      routed.close();
      back.start({ isAtOnce: true });
      await this.#exchange?.drain(TASK_GRACE_MS, PATIENT);
      await membership.stop();
    });
    this.#exchange?.start();
    await keeper.stop();
    membership.start();
  }

  #acquired({ shards, bereft }: Acquired, held: HeldShards, publisher: EventPublisher, onTrouble: SimulatedNodeOptions["onTrouble"]): void {
    const opened = ShardSet.of(shards.keys());
    held.add(shards);
    void publisher.enter(opened);
    this.open.openShards(opened, bereft).catch((error: unknown) => onTrouble("the runs of new shards could not be listed", error));
  }

  #show(view: OwnershipView): void {
    if (this.#view !== undefined && view.version < this.#view.version) return;
    this.#view = view;
    this.#exchange?.show(view);
    for (const listener of this.#listeners) listener();
  }

  /** Another boot took over. */
  #fence(): void {
    this.#isFenced = true;
    void this.stop();
  }

  async #stop(): Promise<void> {
    const hasHeirs = this.#view?.nodes.some(({ bootId, state, roles }) => bootId !== this.self && state === "live" && roles.includes("engine"));
    if (hasHeirs === true) await this.#stage(async () => this.#membership?.drain(), DRAIN_MS);
    this.isServing = false;
    for (const stage of this.#stages.reverse()) await this.#stage(stage, STAGE_MS);
    this.process.crash();
  }

  async #stage(stage: () => Promise<void>, timeoutMs: number): Promise<void> {
    try {
      await within(this.process.clock, stage(), timeoutMs, "A stage of the stop");
    } catch (error) {
      this.#options.onTrouble("a stage of the stop", error);
    }
  }

  async #endCalls(): Promise<void> {
    const { clock } = this.process;
    const endMs = clock.monotonic() + CALL_GRACE_MS;
    while (this.calls > 0 && clock.monotonic() < endMs) await pause(TASK_POLL_MS, clock);
  }

  async #closeRuns(pool: WorkerPool): Promise<void> {
    const { open } = this;
    const { clock } = this.process;
    open.stopStarting();
    const endMs = clock.monotonic() + TASK_GRACE_MS;
    while (pool.state.active > 0 && clock.monotonic() < endMs) await pause(TASK_POLL_MS, clock);
    await open.close();
    this.#isUnsettled = open.isAdopting;
  }
}

interface ClusterParts {
  readonly ownership: Ownership;
  readonly joined: Joined;
  readonly held: HeldShards;
  readonly bus: Bus;
  readonly publisher: EventPublisher;
  readonly keeper: LeaseKeeper;
  readonly journal: Journal;
}

function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the node has not started");
  return part;
}
