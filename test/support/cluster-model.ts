/**
 * A cluster whose nodes do what convergence says, one small step at a time, in an order that is drawn: for property tests. The ownership table is a model of
 * a few lines; nodes act on what they saw some time ago, and crash, come back, drain and join.
 */
import type { ClusterNode, ClusterView } from "../../runtime/cluster/cluster-view.ts";
import {
  type ClusterAction,
  CONVERGENCE_PACE,
  type ConvergenceMemory,
  converge,
  type Holding,
  NOTHING_SEEN,
} from "../../runtime/cluster/convergence.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../../runtime/ids.ts";

const LEASE_MS = 3_000;
const STEP_MS = 50;

interface TableNode {
  readonly bootId: BootId;
  readonly nodeName: string;
  readonly roles: readonly string[];
  state: ClusterNode["state"];
  leaseUntilMs: number;
}

/** A process that does what convergence says. */
export class ModelNode {
  readonly bootId: BootId;
  readonly nodeName: string;
  readonly holdings: Holding[] = new Array<Holding>(SHARD_COUNT).fill("none");
  /** What it has decided to do and not done yet. */
  actions: ClusterAction[] = [];
  leaving: (readonly Shard[])[] = [];
  seen: { readonly view: ClusterView; readonly expired: readonly BootId[] } | undefined;
  memory: ConvergenceMemory = NOTHING_SEEN;
  isAlive = true;
  isLeaving = false;

  constructor(bootId: BootId, nodeName: string) {
    this.bootId = bootId;
    this.nodeName = nodeName;
  }

  /** Shards that it acts for or is handing over. */
  get count(): number {
    return this.holdings.filter((holding) => holding !== "none").length;
  }
}

/** The cluster. */
export class ClusterModel {
  nowMs = 0;
  readonly nodes: ModelNode[] = [];
  /** What went wrong: must stay empty. */
  readonly violations: string[] = [];
  readonly #table = new Map<BootId, TableNode>();
  readonly #owners: (BootId | undefined)[] = new Array<BootId | undefined>(SHARD_COUNT).fill(undefined);
  #version = 0;

  /** Starts a process; one of the same name that runs is fenced. */
  start(nodeName: string, roles: readonly string[] = ["engine"]): ModelNode {
    const bootId = `${nodeName}#${this.#table.size}` as BootId;
    for (const other of this.#table.values()) if (other.nodeName === nodeName) this.#end(other, "lost");
    this.#table.set(bootId, { bootId, nodeName, roles, state: "live", leaseUntilMs: this.nowMs + LEASE_MS });
    this.#version++;
    const node = new ModelNode(bootId, nodeName);
    this.nodes.push(node);
    return node;
  }

  /** Ends a process without a word. */
  crash(node: ModelNode): void {
    node.isAlive = false;
  }

  /** Asks a node to hand over all it has; with `isLeaving` because it is about to end. */
  drain(node: ModelNode, isLeaving = false): void {
    node.isLeaving ||= isLeaving;
    const entry = this.#table.get(node.bootId);
    if (entry?.state === "live") entry.state = "draining";
    this.#version++;
  }

  /** The name of the node that owns the shard. */
  ownerOf(shard: Shard): string | undefined {
    const owner = this.#owners[shard];
    return owner === undefined ? undefined : this.#table.get(owner)?.nodeName;
  }

  /** Names of processes that run and are to stay. */
  get hosts(): readonly string[] {
    return this.nodes.filter((node) => this.isMember(node) && this.#table.get(node.bootId)?.state === "live").map(({ nodeName }) => nodeName);
  }

  /** Lets a node make one step; `choice` says which of those that it could make. */
  step(node: ModelNode, choice: number): void {
    this.nowMs += STEP_MS;
    for (const other of this.nodes) if (this.isMember(other)) this.#renew(other);
    if (!this.isMember(node)) return;
    if (node.leaving.length > 0 && choice % 3 === 0) this.#finishRelease(node, choice);
    else if (node.actions.length > 0) this.#act(node, node.actions.splice(choice % node.actions.length, 1)[0] as ClusterAction, choice % 5 === 0);
    else this.#look(node, choice);
  }

  /** Decides at once on what is seen now, and does all of it. Answers how many actions these were. */
  round(node: ModelNode): number {
    if (!this.isMember(node)) return 0;
    this.#renew(node);
    while (node.leaving.length > 0) this.#finishRelease(node, 0);
    node.actions = [];
    node.seen = this.#see(node);
    this.#decide(node);
    const actions = node.actions.splice(0);
    for (const action of actions) this.#act(node, action);
    return actions.length;
  }

  #look(node: ModelNode, choice: number): void {
    // Half of the time a node goes on with what it saw earlier.
    if (node.seen === undefined || choice % 2 === 0) node.seen = this.#see(node);
    this.#decide(node);
  }

  #decide(node: ModelNode): void {
    if (node.seen === undefined) return;
    const { actions, memory } = converge(
      { ...node.seen, self: node.bootId, isLeaving: node.isLeaving, nowMs: this.nowMs, holdingOf: (shard) => node.holdings[shard] ?? "none" },
      node.memory,
      CONVERGENCE_PACE,
    );
    node.memory = memory;
    node.actions = [...actions];
    const leaving = node.holdings.filter((holding) => holding === "leaving").length;
    const more = actions.reduce((sum, action) => sum + (action.kind === "release" ? action.shards.length : 0), 0);
    if (leaving + more > CONVERGENCE_PACE.releasesAtOnce) this.violations.push(`${node.bootId} hands over ${leaving + more} shards at a time`);
  }

  /** `isUnheard`: the table does it, and its answer is lost. */
  #act(node: ModelNode, action: ClusterAction, isUnheard = false): void {
    if (action.kind === "fence") {
      const other = this.#table.get(action.bootId);
      if (other !== undefined && other.leaseUntilMs <= this.nowMs) this.#end(other, "lost");
    } else if (action.kind === "acquire") {
      this.#acquire(node, action.shards, isUnheard);
    } else {
      for (const shard of action.shards) node.holdings[shard] = "leaving";
      node.leaving.push(action.shards);
    }
  }

  #acquire(node: ModelNode, shards: readonly Shard[], isUnheard: boolean): void {
    for (const shard of shards) {
      const owner = this.#owners[shard];
      if (owner !== undefined && owner !== node.bootId) continue;
      if (node.holdings[shard] === "leaving") this.violations.push(`${node.bootId} takes shard ${shard}, which it is handing over`);
      this.#owners[shard] = node.bootId;
      if (!isUnheard) node.holdings[shard] = "held";
    }
    this.#version++;
  }

  #finishRelease(node: ModelNode, choice: number): void {
    for (const shard of node.leaving.splice(choice % node.leaving.length, 1)[0] ?? []) {
      if (this.#owners[shard] !== node.bootId) this.violations.push(`${node.bootId} releases shard ${shard} of ${this.#owners[shard]}`);
      this.#owners[shard] = undefined;
      node.holdings[shard] = "none";
    }
    // What was seen before this release says that these shards are still its own.
    node.seen = undefined;
    node.actions = node.actions.filter(({ kind }) => kind !== "acquire");
    this.#version++;
  }

  /** True for a process that runs and was not fenced. One that was fenced may not know, and can't write. */
  isMember(node: ModelNode): boolean {
    const state = this.#table.get(node.bootId)?.state;
    return node.isAlive && (state === "live" || state === "draining");
  }

  #renew(node: ModelNode): void {
    const entry = this.#table.get(node.bootId);
    if (entry !== undefined) entry.leaseUntilMs = this.nowMs + LEASE_MS;
  }

  #end(entry: TableNode, state: "lost"): void {
    entry.state = state;
    for (const [shard, owner] of this.#owners.entries()) if (owner === entry.bootId) this.#owners[shard] = undefined;
    this.#version++;
  }

  #see(node: ModelNode): NonNullable<ModelNode["seen"]> {
    const owners = [...this.#owners];
    const members = [...this.#table.values()].filter(({ state }) => state === "live" || state === "draining");
    const expired = members.filter(({ bootId, leaseUntilMs }) => bootId !== node.bootId && leaseUntilMs <= this.nowMs);
    return {
      view: { version: this.#version, nodes: [...this.#table.values()].map((entry) => ({ ...entry })), ownerOf: (shard) => owners[shard] },
      expired: expired.map(({ bootId }) => bootId),
    };
  }
}
