/**
 * The part of a simulated boot in its cluster, put together as `ops/node-cluster.ts` does it: routing of calls, the exchange of tasks, hints about slots,
 * membership.
 */
import { type ClusterMap, runsSubject } from "../../actors/cluster/cluster-map.ts";
import { RoutedRuns } from "../../actors/cluster/routed-runs.ts";
import { RunServer } from "../../actors/cluster/run-server.ts";
import { openSlotHints } from "../../actors/cluster/slot-hints.ts";
import type { EventPublisher } from "../../actors/events/event-publisher.ts";
import type { OpenRuns } from "../../actors/run/open-runs.ts";
import type { Runs } from "../../actors/runs.ts";
import type { Bus } from "../../runtime/bus/bus.ts";
import { heirsOf, isMember } from "../../runtime/cluster/cluster-view.ts";
import type { LeaseRenewal } from "../../runtime/cluster/lease-renewal.ts";
import { Membership } from "../../runtime/cluster/membership.ts";
import type { EventHub } from "../../runtime/events.ts";
import { Exchange } from "../../runtime/exchange/exchange.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Acquired, Joined, NodeRole, Ownership } from "../../runtime/storage/ownership.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { SimulatedProcess } from "./process.ts";

const CLUSTER = "simulation";
/** As the product's: the time that tasks of others get at a stop. */
export const TASK_GRACE_MS = 5_000;
/** Tasks that an executor executes at a time: so few that others have to help. */
const SLOTS = 3;
/** Nobody is in a hurry. */
const PATIENT = new AbortController().signal;

/** What it needs from the beginning. */
export interface SimulatedClusterOptions {
  readonly self: BootId;
  readonly roles: readonly NodeRole[];
  readonly process: SimulatedProcess;
  readonly random: Random;
  readonly events: EventHub;
  readonly bus: Bus;
  /** The node's own. */
  readonly local: WorkerPool;
  /** Something failed that is tried again. */
  onTrouble(what: string, error: unknown): void;
}

/** What it joins with. */
export interface ClusterParts {
  readonly ownership: Ownership;
  readonly joined: Joined;
  readonly held: HeldShards;
  readonly open: OpenRuns;
  readonly publisher: EventPublisher;
  readonly renewal: LeaseRenewal;
}

/** See the file header. */
export class SimulatedCluster implements ClusterMap {
  readonly self: BootId;
  readonly exchange: Exchange;
  readonly #options: SimulatedClusterOptions;
  readonly #listeners = new Set<() => void>();
  #view: OwnershipView | undefined;
  #open: OpenRuns | undefined;
  #routed: RoutedRuns | undefined;
  #server: RunServer | undefined;
  #membership: Membership | undefined;
  #endSlotHints: (() => void) | undefined;

  constructor(options: SimulatedClusterOptions) {
    const { self, roles, process, random, events, bus, local } = options;
    const slots = roles.includes("executor") ? SLOTS : 0;
    this.#options = options;
    this.self = self;
    this.exchange = new Exchange({
      ...{ bus, clock: process.clock, scheduler: process.scheduler, random, events, clusterName: CLUSTER, self, slots, serves: [], local },
      knows: (handler) => local.handlers.has(handler),
    });
  }

  /** The runs of the whole cluster. */
  get runs(): Runs {
    return present(this.#routed);
  }

  get view(): OwnershipView {
    return present(this.#view);
  }

  /** True if there is somebody to hand shards over to. */
  get hasHeirs(): boolean {
    return this.#view !== undefined && heirsOf(this.#view, this.self).length > 0;
  }

  /** True if it has seen that a boot is no member any more. */
  hasHeardOfEnd(bootId: BootId): boolean {
    return this.#view !== undefined && !this.#view.nodes.some((node) => node.bootId === bootId && isMember(node.state));
  }

  loadOf({ bootId, load }: NodeView): number {
    return bootId === this.self ? present(this.#open).fullness : (this.#membership?.heard.loadOf(bootId) ?? load);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteVersion(version: number): void {
    this.#membership?.noteVersion(version);
  }

  /** Serves and routes calls, and takes part in the cluster. */
  async join(parts: ClusterParts): Promise<void> {
    const { bus, random, process } = this.#options;
    const { clock } = process;
    const { ownership, open } = parts;
    this.#open = open;
    this.#view = await ownership.view();
    const [local, subject] = [open.runs, runsSubject(CLUSTER)];
    this.#routed = new RoutedRuns({ bus, map: this, subject, clock, random, local, gate: open.gate });
    this.#server = new RunServer({ bus, map: this, subject, clock, local });
    this.#server.start();
    this.#endSlotHints = openSlotHints({ bus, self: this.self, clusterName: CLUSTER, slots: open.slots });
    this.#membership = this.#membershipOf(parts);
    this.exchange.start();
    this.#membership.start();
  }

  /** Hands all shards over. */
  async drain(): Promise<void> {
    await this.#membership?.drain();
  }

  /** Another boot may have the shards already: nothing is served here any more, as after a hand-over. */
  lose(): void {
    const { onTrouble } = this.#options;
    if (this.#routed === undefined) return;
    const open = present(this.#open);
    open.closeShards(ShardSet.all).catch((error: unknown) => onTrouble("the runs of a lost node could not be stopped in order", error));
  }

  /** Takes part no more. */
  async leave(): Promise<void> {
    this.#server?.stop();
    this.#routed?.close();
    this.#endSlotHints?.();
    await this.exchange.drain(TASK_GRACE_MS, PATIENT);
    await this.#membership?.stop();
  }

  #membershipOf({ ownership, joined, held, open, publisher, renewal }: ClusterParts): Membership {
    const { self: bootId, bus, events, process, onTrouble } = this.#options;
    return new Membership({
      ...{ ownership, bus, clock: process.clock, events, joined, bootId, clusterName: CLUSTER, renewal },
      load: () => open.fullness,
      onView: (view) => this.#show(view),
      onAcquired: ({ shards, bereft }: Acquired) => {
        const opened = ShardSet.of(shards.keys());
        held.add(shards);
        void publisher.enter(opened);
        open.openShards(opened, bereft).catch((error: unknown) => onTrouble("the runs of new shards could not be listed", error));
      },
      handOff: async (shards) => {
        const bereft = await open.closeShards(shards);
        await publisher.leave(shards);
        return bereft;
      },
      onReleased: (shards) => held.remove(shards),
    });
  }

  #show(view: OwnershipView): void {
    if (this.#view !== undefined && view.version < this.#view.version) return;
    this.#view = view;
    this.exchange.show(view);
    for (const listener of this.#listeners) listener();
  }
}

/** A part that is there once the node has started. */
export function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("the node has not started");
  return part;
}
