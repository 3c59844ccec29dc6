/**
 * Where new runs begin. On the node that was asked, unless it is clearly busier than another: then, or if it owns no shards, the less busy of two that are
 * chosen by chance. Pure but for chance.
 */
import type { Shard } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { NodeView } from "../../runtime/storage/ownership-view.ts";
import type { ClusterMap } from "./cluster-map.ts";

/** How much busier than another a node is before it gives new runs away, as a share of what a node can take. */
const CLEARLY_BUSIER = 0.25;

/** The nodes that new runs may be given to, of one view. How busy they are is asked anew for each run. */
export class RunPlacement {
  readonly #map: Pick<ClusterMap, "loadOf">;
  readonly #here: NodeView | undefined;
  readonly #others: readonly NodeView[];

  constructor(map: Pick<ClusterMap, "self" | "view" | "loadOf">) {
    const takers = map.view.nodes.filter(({ state, shards }) => state === "live" && shards.size > 0);
    this.#map = map;
    this.#here = takers.find(({ bootId }) => bootId === map.self);
    this.#others = takers.filter(({ bootId }) => bootId !== map.self);
  }

  /** The node for a new run; undefined: this one, or none is known. */
  choose(random: Random): NodeView | undefined {
    if (this.#others.length === 0) return undefined;
    const other = this.#pick(random);
    const otherLoad = this.#map.loadOf(other);
    if (this.#here !== undefined) return this.#map.loadOf(this.#here) > otherLoad + CLEARLY_BUSIER ? other : undefined;
    const second = this.#pick(random);
    return this.#map.loadOf(second) < otherLoad ? second : other;
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
