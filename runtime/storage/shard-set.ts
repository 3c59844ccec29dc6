/**
 * A set of shards that never changes, in order. A node alone owns them all, a node of a cluster some that lie scattered: readers ask which of the
 * two they have, because a range is cheaper to look for.
 */
import { SHARD_COUNT, type Shard } from "../ids.ts";

/** The set. */
export class ShardSet implements Iterable<Shard> {
  /** Every shard. */
  static readonly all = ShardSet.between(0, SHARD_COUNT - 1);
  /** No shard. */
  static readonly none = ShardSet.of([]);

  readonly #isMember = new Uint8Array(SHARD_COUNT);
  readonly #sorted: readonly Shard[];

  private constructor(shards: Iterable<Shard>) {
    for (const shard of shards) this.#isMember[shard] = 1;
    const sorted: Shard[] = [];
    for (let shard = 0; shard < SHARD_COUNT; shard++) if (this.#isMember[shard] === 1) sorted.push(shard);
    this.#sorted = sorted;
  }

  /** The set of some shards, in any order; what is none is left out. */
  static of(shards: Iterable<Shard>): ShardSet {
    return new ShardSet(shards);
  }

  /** The shards from `first` to `last`, both included. */
  static between(first: Shard, last: Shard): ShardSet {
    return new ShardSet(Array.from({ length: last - first + 1 }, (_, index) => first + index));
  }

  /** How many there are. */
  get size(): number {
    return this.#sorted.length;
  }

  /** The first and the last, if all between them are in the set; else, and of an empty set, undefined. */
  get range(): { readonly first: Shard; readonly last: Shard } | undefined {
    const [first, last] = [this.#sorted[0], this.#sorted.at(-1)];
    return first !== undefined && last !== undefined && last - first + 1 === this.size ? { first, last } : undefined;
  }

  /** True if the shard is in the set. */
  has(shard: Shard): boolean {
    return this.#isMember[shard] === 1;
  }

  /** In ascending order. */
  [Symbol.iterator](): IterableIterator<Shard> {
    return this.#sorted[Symbol.iterator]();
  }
}
