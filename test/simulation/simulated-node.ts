/**
 * One boot of a node, put together as the composition root does it, with the same parts in the same order of start and stop: only what is outside of
 * the process is simulated. The only file that knows how a node is assembled here.
 */
import { EventPublisher } from "../../actors/events/event-publisher.ts";
import type { Workflow } from "../../actors/language/model.ts";
import { type OpenRuns, openRuns } from "../../actors/run/open-runs.ts";
import type { Runs } from "../../actors/runs.ts";
import { within } from "../../runtime/bus/within.ts";
import { LeaseRenewal } from "../../runtime/cluster/lease-renewal.ts";
import { EventHub } from "../../runtime/events.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { Lane } from "../../runtime/storage/lane.ts";
import { LanedJournal } from "../../runtime/storage/laned-journal.ts";
import { LargePayloads } from "../../runtime/storage/large-payloads.ts";
import { MemoryTaskLedger } from "../../runtime/storage/memory-task-ledger.ts";
import type { Joined, NodeRole } from "../../runtime/storage/ownership.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { DatabaseLink } from "./database-link.ts";
import type { SimulatedProcess } from "./process.ts";
import { present, SimulatedCluster, TASK_GRACE_MS } from "./simulated-cluster.ts";
import type { Surroundings } from "./surroundings.ts";

/** As the product's: a lease, and how long the stages of a stop may take. */
const LEASE_MS = 3_000;
const DRAIN_MS = 60_000;
const STAGE_MS = 15_000;
const CALL_GRACE_MS = 3_000;
const TASK_POLL_MS = 20;
const BUS_DRAIN_MS = 3_000;
const EVENTS_GRACE_MS = 2_000;

/** What a boot needs. */
export interface SimulatedNodeOptions {
  readonly nodeName: string;
  readonly roles: readonly NodeRole[];
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
export class SimulatedNode {
  readonly self: BootId;
  readonly nodeName: string;
  readonly process: SimulatedProcess;
  readonly events = new EventHub();
  readonly #options: SimulatedNodeOptions;
  /** What to do at the end, the latest first. */
  readonly #stages: (() => Promise<void>)[] = [];
  #open: OpenRuns | undefined;
  #cluster: SimulatedCluster | undefined;
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
    return present(this.#cluster).runs;
  }

  /** True if it has seen that a boot is no member of the cluster any more. */
  hasHeardOfEnd(bootId: BootId): boolean {
    return this.#cluster?.hasHeardOfEnd(bootId) === true;
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
    const { surroundings, nodeName, roles } = this.#options;
    const { process, self: bootId, events } = this;
    const { clock } = process;
    const link = surroundings.link(process);
    const { ownership } = link;
    const joined = await ownership.join({ bootId, nodeName, roles, lanes: 1, leaseMs: LEASE_MS, isStarting: true });
    const renewal = new LeaseRenewal({ ownership, bootId, leaseMs: LEASE_MS, clock, events, onLost: () => this.#fence() });
    renewal.start();
    this.#stages.push(async () => {
      await renewal.stop();
      if (!this.#isUnsettled) await ownership.leave(bootId);
    });
    const held = new HeldShards(joined.shards);
    const journal = this.#openJournal(link, held);
    const cluster = this.#openCluster();
    const publisher = await this.#openPublisher(link, journal, held);
    const open = await this.#openRuns(link, { journal, held, joined, publisher, pool: cluster.exchange.pool });
    this.#stages.push(() => cluster.leave());
    await cluster.join({ ownership, joined, held, open, publisher, renewal });
    await ownership.announce(bootId, { grpcAddress: process.name });
    this.#stages.push(() => this.#endCalls());
  }

  #openCluster(): SimulatedCluster {
    const { random, surroundings, roles, pool: local, onTrouble } = this.#options;
    const { self, process, events } = this;
    const bus = surroundings.joinBus(process, events);
    const cluster = new SimulatedCluster({ self, roles, process, random, events, bus, local, onTrouble });
    this.#cluster = cluster;
    this.#stages.push(() => {
      cluster.exchange.stop();
      return bus.drain(BUS_DRAIN_MS);
    });
    this.#stages.push(async () => {
      await cluster.exchange.pool.stop(0);
      // What went on although its run had left has ended now.
      await this.#open?.slots.close();
    });
    return cluster;
  }

  #openJournal(link: DatabaseLink, held: HeldShards): Journal {
    const { random } = this.#options;
    const { self: bootId, events, process } = this;
    const { clock, scheduler } = process;
    const defer = (callback: () => void): void => scheduler.afterIo(callback);
    const lane = new Lane({ lane: 0, store: link.batches(bootId, held), held, clock, random, events, defer });
    const large = new LargePayloads(undefined, clock);
    const journal = new LanedJournal({ bootId, lanes: [lane], held, reader: link.reader, large, events, defer });
    this.#stages.push(() => journal.close());
    return journal;
  }

  async #openPublisher({ checkpoints }: DatabaseLink, journal: Journal, held: HeldShards): Promise<EventPublisher> {
    const { surroundings, workflow } = this.#options;
    const { self: bootId, events, process } = this;
    const source = { journal, events, workflow };
    const openWriter = surroundings.streamOf(process);
    const publisher = new EventPublisher({ clock: process.clock, events, bootId, heldShards: held, level: "tasks", checkpoints, source, openWriter });
    await publisher.start();
    this.#stages.push(() => publisher.close(this.#isFenced ? 0 : EVENTS_GRACE_MS));
    return publisher;
  }

  async #openRuns({ taskSlots }: DatabaseLink, { journal, held, joined, publisher, pool }: RunParts): Promise<OpenRuns> {
    const { random, surroundings, workflow, nodeName, onTrouble } = this.#options;
    const { self: bootId, events, process } = this;
    const { clock, scheduler } = process;
    const ledger = new MemoryTaskLedger(surroundings.database.memory);
    const evaluator = { evaluate: async () => ({ fault: "not simulated" }), check: async () => undefined, close: async () => undefined };
    const open = await openRuns({
      ...{ bootId, nodeName, clock, scheduler, random, events, journal, ledger, taskSlots, pool, evaluator, held, workflow, onTrouble },
      ...{ bereft: joined.bereft, outlet: publisher, onFenced: () => this.#fence() },
    });
    this.#open = open;
    this.#stages.push(() => this.#closeRuns(open, pool));
    return open;
  }

  /** Another boot took over. */
  #fence(): void {
    if (this.#isFenced) return;
    this.#isFenced = true;
    this.#cluster?.lose();
    void this.stop();
  }

  async #stop(): Promise<void> {
    if (this.#cluster?.hasHeirs === true) await this.#stage(async () => this.#cluster?.drain(), DRAIN_MS);
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

  async #closeRuns(open: OpenRuns, pool: WorkerPool): Promise<void> {
    const { clock } = this.process;
    open.stopStarting();
    const endMs = clock.monotonic() + TASK_GRACE_MS;
    while (pool.state.active > 0 && clock.monotonic() < endMs) await pause(TASK_POLL_MS, clock);
    await open.close();
    this.#isUnsettled = open.isAdopting;
  }
}

interface RunParts {
  readonly journal: Journal;
  readonly held: HeldShards;
  readonly joined: Joined;
  readonly publisher: EventPublisher;
  readonly pool: WorkerPool;
}
