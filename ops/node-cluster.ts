/**
 * A node's part in its cluster: the message bus, membership, and the routing of calls about runs. Only nodes that have a bus have one.
 */
import type { ClusterMap } from "../actors/cluster/cluster-map.ts";
import { runsSubject } from "../actors/cluster/cluster-map.ts";
import { RoutedRuns } from "../actors/cluster/routed-runs.ts";
import { RunServer } from "../actors/cluster/run-server.ts";
import { openSlotHints } from "../actors/cluster/slot-hints.ts";
import type { Runs } from "../actors/runs.ts";
import type { Bus } from "../runtime/bus/bus.ts";
import { openNatsBus } from "../runtime/bus/nats-bus.ts";
import type { Clock } from "../runtime/clock.ts";
import { heirsOf } from "../runtime/cluster/cluster-view.ts";
import { Membership } from "../runtime/cluster/membership.ts";
import type { EventHub } from "../runtime/events.ts";
import { Exchange } from "../runtime/exchange/exchange.ts";
import type { BootId } from "../runtime/ids.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Random } from "../runtime/random.ts";
import type { Acquired } from "../runtime/storage/ownership.ts";
import type { NodeView, OwnershipView } from "../runtime/storage/ownership-view.ts";
import { ShardSet } from "../runtime/storage/shard-set.ts";
import { SHELL } from "../runtime/workers/builtin/shell.ts";
import type { WorkerPool } from "../runtime/workers/pool.ts";
import type { QueuedPool } from "../runtime/workers/queue-load.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { natsAccess } from "./nats-access.ts";
import { type NodeRuns, TASK_GRACE_MS } from "./node-runs.ts";
import { type NodeStorage, started } from "./node-storage.ts";

/** Beside the time that tasks get: to give back what did not end, and to be told that this was heard, in milliseconds. */
const CLUSTER_STOP_MS = TASK_GRACE_MS + 10_000;
/** Time for which the bus may deliver what is under way when the node stops, in milliseconds. */
const BUS_DRAIN_MS = 3_000;
/** Longest time for the hand-over of all shards when the node stops, in milliseconds. */
const DRAIN_MS = 60_000;

/** What it needs. */
export interface NodeClusterOptions {
  readonly config: Config & { readonly natsUrl: string };
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly storage: NodeStorage;
  readonly runs: NodeRuns;
  /** Aborted: the node hands nothing over when it stops; the others take its shards once it has left. */
  readonly hurried: AbortSignal;
  /** Something failed that is tried again; for the log. */
  onTrouble(what: string, error: unknown): void;
}

/** See the file header. Its parts are there once their stage has started. */
export class NodeCluster implements ClusterMap {
  readonly self: BootId;
  readonly #options: NodeClusterOptions;
  readonly #listeners = new Set<() => void>();
  #bus: Bus | undefined;
  #membership: Membership | undefined;
  #view: OwnershipView | undefined;
  #routed: RoutedRuns | undefined;
  #server: RunServer | undefined;
  #endSlotHints: (() => void) | undefined;
  #exchange: Exchange | undefined;

  constructor(options: NodeClusterOptions) {
    this.#options = options;
    this.self = options.bootId;
  }

  /** The runs of the whole cluster. */
  get runs(): Runs {
    return started(this.#routed, "cluster");
  }

  get view(): OwnershipView {
    return started(this.#view, "cluster");
  }

  /** The exchange of tasks between nodes. */
  get exchange(): Exchange {
    return started(this.#exchange, "workers");
  }

  /** The pool through which tasks find an executor in the cluster, around the node's own. The bus is there. */
  poolOf(local: WorkerPool): QueuedPool {
    const { config, clock, random, events } = this.#options;
    const { clusterName, roles, threads, allowShell, queues: serves } = config;
    const bus = started(this.#bus, "bus");
    const slots = roles.includes("executor") ? threads * LIMITS.tasksPerThread : 0;
    const knows = (handler: string): boolean => local.handlers.has(handler) && (allowShell || handler !== SHELL);
    this.#exchange = new Exchange({ bus, clock, random, events, clusterName, self: this.self, local, slots, serves, knows });
    return this.#exchange.pool;
  }

  loadOf({ bootId, load }: NodeView): number {
    return bootId === this.self ? this.#options.runs.open.fullness : (this.#membership?.heard.loadOf(bootId) ?? load);
  }

  /** For how long a member was not heard, in milliseconds; undefined if it is heard or nobody can tell. */
  silenceMsOf(bootId: BootId): number | undefined {
    return this.#membership?.heard.silenceMsOf(bootId);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteVersion(version: number): void {
    this.#membership?.noteVersion(version);
  }

  /**
   * Another boot may have the shards already: nothing is served here any more, as after a hand-over. Who waits for runs here is led to their new owners while
   * the gateway is drained, instead of waiting for actors that can write no more.
   */
  lose(): void {
    const { runs, onTrouble } = this.#options;
    if (this.#routed === undefined) return;
    runs.open.closeShards(ShardSet.all).catch((error: unknown) => onTrouble("the runs of a lost node could not be stopped in order", error));
  }

  /** Connects to the bus; a node starts also while that is away. */
  busStage(): Stage {
    const { config, clock, random, events } = this.#options;
    return {
      name: "bus",
      start: () => {
        this.#bus = openNatsBus({ ...natsAccess(config.natsUrl, config), name: config.nodeName, clock, random, events });
      },
      stop: () => {
        this.#exchange?.stop();
        return started(this.#bus, "bus").drain(BUS_DRAIN_MS);
      },
    };
  }

  /** Serves and routes calls, and takes part in the cluster. Starts after the runs. */
  clusterStage(): Stage {
    return {
      name: "cluster",
      start: async () => {
        const { config, clock, random, storage, runs } = this.#options;
        this.#view = await storage.ownership.view();
        const [bus, local, subject] = [started(this.#bus, "bus"), runs.open.runs, runsSubject(config.clusterName)];
        this.#routed = new RoutedRuns({ bus, map: this, subject, clock, random, local, gate: runs.open.gate });
        this.#server = new RunServer({ bus, map: this, subject, clock, local });
        this.#server.start();
        this.#endSlotHints = openSlotHints({ bus, self: this.self, clusterName: config.clusterName, slots: runs.open.slots });
        this.exchange.start();
        this.#membership = this.#join(bus);
        this.#membership.start();
      },
      stopTimeoutMs: CLUSTER_STOP_MS,
      stop: async () => {
        const { hurried } = this.#options;
        this.#server?.stop();
        this.#routed?.close();
        this.#endSlotHints?.();
        await this.exchange.drain(TASK_GRACE_MS, hurried);
        await this.#membership?.stop();
      },
    };
  }

  /** Starts nothing: stops first, and hands all shards over while the gateway still serves. A node that is the last one keeps them to its end. */
  drainStage(): Stage {
    const { hurried } = this.#options;
    return {
      name: "hand-over",
      start: () => undefined,
      stopTimeoutMs: DRAIN_MS,
      stop: async () => {
        const hasHeirs = heirsOf(this.view, this.self).length > 0;
        if (hasHeirs && !hurried.aborted) await Promise.race([this.#membership?.drain(), abortOf(hurried)]);
      },
    };
  }

  #join(bus: Bus): Membership {
    const { config, clock, events, storage, runs } = this.#options;
    const { ownership, joined, held, renewal } = storage;
    return new Membership({
      ...{ ownership, bus, clock, events, joined, bootId: this.self, clusterName: config.clusterName, renewal },
      load: () => runs.open.fullness,
      onView: (view) => this.#show(view),
      onSuspicion: () => runs.prepareForLoss(),
      onAcquired: (acquired) => this.#open(acquired),
      handOff: async (shards) => {
        const bereft = await runs.open.closeShards(shards);
        await runs.events.publisher?.leave(shards);
        return bereft;
      },
      onReleased: (shards) => held.remove(shards),
    });
  }

  #open({ shards, bereft }: Acquired): void {
    const { storage, runs, onTrouble } = this.#options;
    const opened = ShardSet.of(shards.keys());
    storage.held.add(shards);
    // First the publisher, so that it has every event of what is committed from now on. It does not have to be waited for, and never fails.
    void runs.events.publisher?.enter(opened);
    runs.open
      .openShards(opened, bereft)
      .catch((error: unknown) => onTrouble("the runs of new shards could not be listed; the auditor finds them", error));
  }

  #show(view: OwnershipView): void {
    if (this.#view !== undefined && view.version < this.#view.version) return;
    this.#view = view;
    this.exchange.show(view);
    for (const listener of this.#listeners) listener();
  }
}

/** Resolves when the signal is aborted. */
function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
