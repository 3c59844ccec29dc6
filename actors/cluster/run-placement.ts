/**
 * Where new runs begin. On the node that was asked, unless it is clearly busier than another: then, or if it owns no shards, the less busy of two that are
 * chosen by chance. Pure but for chance.
 */
import type { BootId, Shard } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { NodeView, OwnershipView } from "../../runtime/storage/ownership-view.ts";

/** How much busier than another a node is before it gives new runs away, as a share of what a node can take. */
const CLEARLY_BUSIER = 0.25;

/** The nodes that new runs may be given to, of one view. */
export class RunPlacement {
  readonly #self: BootId;
  readonly #here: NodeView | undefined;
  readonly #others: readonly NodeView[];

  constructor(self: BootId, view: OwnershipView) {
    const takers = view.nodes.filter(({ state, shards }) => state === "live" && shards.size > 0);
    this.#self = self;
    this.#here = takers.find(({ bootId }) => bootId === self);
    this.#others = takers.filter(({ bootId }) => bootId !== self);
  }

  /** The node for a new run; undefined: this one, or none is known. */
  choose(random: Random): NodeView | undefined {
    if (this.#others.length === 0) return undefined;
    const other = this.#pick(random);
    if (this.#here !== undefined) return this.#here.load > other.load + CLEARLY_BUSIER ? other : undefined;
    const second = this.#pick(random);
    return second.load < other.load ? second : other;
  }

  /** True if this node may be given new runs. */
  get isHere(): boolean {
    return this.#here?.bootId === this.#self;
  }

  #pick(random: Random): NodeView {
    return this.#others[random.uint32() % this.#others.length] as NodeView;
  }
}

/** A shard of a node, by chance. */
export function anyShardOf(node: NodeView, random: Random): Shard {
  let place = random.uint32() % node.shards.size;
  for (const shard of node.shards.keys()) if (place-- === 0) return shard;
  return 0;
}
