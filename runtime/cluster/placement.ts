/**
 * Which node a shard belongs to: the one with the highest weight for it (rendezvous hashing). Pure. All nodes of a cluster, also of different versions of the
 * program, have to come to the same result, so the weights must never change.
 *
 * A node that leaves loses its own shards and no others move; a node that comes takes its share from all. Weights hang on the node's name, so that a node
 * which comes back gets the shards that it had. With ten nodes the shares differ by about 5 % (standard deviation).
 */
import { SHARD_COUNT, type Shard } from "../ids.ts";

/** Where every shard belongs. */
export class Placement {
  /** The nodes, sorted by name. */
  readonly nodeNames: readonly string[];
  readonly #owners: Uint16Array;

  /** Places all shards on the nodes of these names, in any order. */
  constructor(nodeNames: Iterable<string>) {
    this.nodeNames = [...new Set(nodeNames)].sort();
    this.#owners = heaviest(this.nodeNames);
  }

  /** The name of the node that the shard belongs to; undefined without nodes. */
  ownerOf(shard: Shard): string | undefined {
    return this.nodeNames[this.#owners[shard] ?? 0];
  }
}

/** For each shard the index of the node with the highest weight; of equal weights, the first. */
function heaviest(names: readonly string[]): Uint16Array {
  const owners = new Uint16Array(SHARD_COUNT);
  const highest = new Float64Array(SHARD_COUNT).fill(-1);
  for (const [index, name] of names.entries()) {
    const low = hashOfName(name, 0x811c9dc5);
    const high = hashOfName(name, 0x01234567);
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      const weight = mix((mix(shard ^ low) + high) | 0);
      if (weight <= (highest[shard] as number)) continue;
      highest[shard] = weight;
      owners[shard] = index;
    }
  }
  return owners;
}

/** FNV-1a over UTF-16 units, from a basis, mixed. */
function hashOfName(name: string, basis: number): number {
  let hash = basis;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the result. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
