/**
 * Shards that come and go: looked up for every message, and now and then handed to the store as a set.
 */
import { SHARD_COUNT, type Shard } from "../../runtime/ids.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";

/** The shards as those see them who do not change them. */
export interface ServedShards {
  /** True if the shard is one of them now. */
  has(shard: Shard): boolean;
  /** Those of this moment. */
  readonly current: ShardSet;
}

/** See the file header. */
export class ChangingShards implements ServedShards {
  readonly #has = new Uint8Array(SHARD_COUNT);
  #current: ShardSet | undefined;
  #ordered: readonly Shard[] | undefined;

  has(shard: Shard): boolean {
    return this.#has[shard] === 1;
  }

  get current(): ShardSet {
    this.#current ??= ShardSet.of(this.#list());
    return this.#current;
  }

  /** How many there are. */
  get size(): number {
    return this.#list().length;
  }

  /** The shard at a place in their order, from 0; undefined beyond the last. */
  at(place: number): Shard | undefined {
    return this.#list()[place];
  }

  /** Adds shards. */
  add(shards: Iterable<Shard>): void {
    for (const shard of shards) this.#has[shard] = 1;
    this.#forget();
  }

  /** Takes shards out. */
  delete(shards: Iterable<Shard>): void {
    for (const shard of shards) this.#has[shard] = 0;
    this.#forget();
  }

  #list(): readonly Shard[] {
    if (this.#ordered !== undefined) return this.#ordered;
    const ordered: Shard[] = [];
    for (let shard = 0; shard < SHARD_COUNT; shard++) if (this.#has[shard] === 1) ordered.push(shard);
    this.#ordered = ordered;
    return ordered;
  }

  #forget(): void {
    this.#current = undefined;
    this.#ordered = undefined;
  }
}
