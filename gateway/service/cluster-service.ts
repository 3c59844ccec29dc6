/**
 * The cluster as all skins of the gateway show it: its nodes, who owns which shards, and the request that a node hands its own over. Each answer is read
 * from the ownership table, so every node says the same; a node alone is a cluster of one. It moves no shard itself.
 */
import { heirsOf, isMember } from "../../runtime/cluster/cluster-view.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../../runtime/ids.ts";
import type { Ownership } from "../../runtime/storage/ownership.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";
import type { ClusterQueue, QueueLoad } from "../../runtime/workers/queue-load.ts";
import { Fields, textReason } from "./fields.ts";

/** What the service needs of the ownership table. */
export type ClusterTable = Pick<Ownership, "view" | "announce">;

/** What one node does. Counts are since its start. */
export interface NodeActivity {
  readonly bootId: BootId;
  /** Under way now, in memory. */
  readonly activeRuns: number;
  readonly endedRuns: number;
  /** Of the journal. */
  readonly commits: number;
  /** Of the journal, in these commits. */
  readonly entries: number;
}

/** What this node has heard of the cluster on the message bus. */
export interface ClusterHearsay {
  /** The queues of tasks of all nodes. */
  queues(): readonly ClusterQueue[];
  /** For how long a member was not heard, in milliseconds; undefined if it is heard, or nobody can tell. */
  silenceMsOf(bootId: BootId): number | undefined;
}

/** A node as the table has it, and as this one hears it. */
export interface HeardNode extends NodeView {
  /** For how long it was not heard, in milliseconds; undefined if it is heard, is no member, or nobody can tell. */
  readonly silentMs: number | undefined;
}

/** A queue of tasks in the whole cluster, as the node that is asked has heard of it. */
export interface QueueView extends QueueLoad {
  readonly queue: string;
  /** Names of the nodes that execute its attempts. None: what is in it waits. */
  readonly executors: readonly string[];
}

/** Shards from `first` to `last`, both included. */
export interface ShardRange {
  readonly first: Shard;
  readonly last: Shard;
}

/** The shards that one boot owns under one epoch, or that are free. */
export interface ShardGroup {
  /** Undefined: they are free. */
  readonly owner: NodeView | undefined;
  /** 0 if they are free. */
  readonly epoch: number;
  /** Ascending, without overlaps, as few as possible. */
  readonly ranges: readonly ShardRange[];
}

/** The service. Every method throws MaestroError. */
export class ClusterService {
  readonly #table: ClusterTable;
  readonly #activity: () => NodeActivity;
  readonly #hearsay: ClusterHearsay;

  /** `activity` tells what this node does. */
  constructor(table: ClusterTable, activity: () => NodeActivity, hearsay: ClusterHearsay) {
    this.#table = table;
    this.#activity = activity;
    this.#hearsay = hearsay;
  }

  /** What the node that is asked does. */
  activity(): NodeActivity {
    return this.#activity();
  }

  /** The newest boot of each node, by name; those that are no members only for some time after their end. */
  async nodes(): Promise<readonly HeardNode[]> {
    return (await this.#table.view()).nodes.map((node) => this.#heard(node));
  }

  /** The queues of tasks that anything is in, or that a node serves by name; by name. */
  async queues(): Promise<readonly QueueView[]> {
    const { nodes } = await this.#table.view();
    const nameOf = (wanted: BootId): string => nodes.find(({ bootId }) => bootId === wanted)?.nodeName ?? wanted;
    return this.#hearsay.queues().map(({ executors, ...load }) => ({ ...load, executors: executors.map(nameOf).sort() }));
  }

  /** All shards, each in one group: by node and epoch, free ones last. */
  async shards(): Promise<readonly ShardGroup[]> {
    return groupsOf(await this.#table.view());
  }

  /**
   * Asks a node, by name or boot id, to hand its shards over and to take no more; answers how it stands. Doing so again changes nothing.
   *
   * @throws FIELD_INVALID, NODE_NOT_FOUND, NO_HEIR no other node is there to take its shards.
   */
  async drain(asked: string): Promise<HeardNode> {
    const view = await this.#table.view();
    const node = memberOf(view, asked);
    if (!hasHeirs(view, node.bootId)) throw noHeir(node);
    // Each announcement has all nodes look at the table again, so none is made without need.
    if (node.state === "draining" && !node.isStarting) return this.#heard(node);
    const drained = await this.#announce(node, true);
    if (hasHeirs(drained, node.bootId)) return this.#heard(memberOf(drained, node.bootId));
    // Two nodes were asked at the same moment, each because of the other; or the other one has ended in it.
    await this.#announce(node, false);
    throw noHeir(node);
  }

  /** Lets a node that was drained have shards again; answers how it stands. @throws FIELD_INVALID, NODE_NOT_FOUND */
  async undrain(asked: string): Promise<HeardNode> {
    const node = memberOf(await this.#table.view(), asked);
    return this.#heard(node.state === "live" ? node : memberOf(await this.#announce(node, false), node.bootId));
  }

  /** Answers how things stand after it. */
  async #announce({ bootId, nodeName }: NodeView, isDraining: boolean): Promise<OwnershipView> {
    if (!(await this.#table.announce(bootId, { isDraining }))) throw nodeNotFound(nodeName);
    return this.#table.view();
  }

  #heard(node: NodeView): HeardNode {
    return { ...node, silentMs: isMember(node.state) ? this.#hearsay.silenceMsOf(node.bootId) : undefined };
  }
}

function memberOf({ nodes }: OwnershipView, asked: string): NodeView {
  const fields = new Fields();
  fields.check("node", textReason(asked, true));
  fields.refuse();
  const node = nodes.find(({ nodeName }) => nodeName === asked) ?? nodes.find(({ bootId }) => bootId === asked.toLowerCase());
  if (node === undefined || !isMember(node.state)) throw nodeNotFound(asked);
  return node;
}

/** True if another node is there that shards are given to, and renews its lease. */
function hasHeirs(view: OwnershipView, leaving: BootId): boolean {
  return heirsOf(view, leaving).some(({ leaseLeftMs }) => leaseLeftMs > 0);
}

function groupsOf(view: OwnershipView): readonly ShardGroup[] {
  const groups = view.nodes.flatMap((owner): ShardGroup[] => {
    const byEpoch = Map.groupBy([...owner.shards.keys()], (shard) => owner.shards.get(shard) ?? 0);
    return [...byEpoch].sort(([a], [b]) => a - b).map(([epoch, shards]) => ({ owner, epoch, ranges: rangesOf(shards) }));
  });
  const free = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => view.ownerOf(shard) === undefined);
  return free.length === 0 ? groups : [...groups, { owner: undefined, epoch: 0, ranges: rangesOf(free) }];
}

function rangesOf(shards: readonly Shard[]): readonly ShardRange[] {
  const ranges: { first: Shard; last: Shard }[] = [];
  for (const shard of shards.toSorted((a, b) => a - b)) {
    const before = ranges.at(-1);
    if (before?.last === shard - 1) before.last = shard;
    else ranges.push({ first: shard, last: shard });
  }
  return ranges;
}

function nodeNotFound(node: string): MaestroError {
  return new MaestroError("NODE_NOT_FOUND", { facts: { node } });
}

function noHeir({ nodeName: node }: NodeView): MaestroError {
  return new MaestroError("NO_HEIR", { facts: { node } });
}
