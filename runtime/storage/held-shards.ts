/**
 * The shards that one boot holds now, and since which epochs: what its journal goes by. Kept in memory, beside the ownership table: a shard is added
 * after the table gave it, and closed before it is given back. So what is held here is always owned there, unless the boot was fenced.
 *
 * A hand-over has this order: the shards' actors end, `close`, flush the journal, release in the table, `remove`.
 */
import { SHARD_COUNT, type Shard } from "../ids.ts";
import { ShardSet } from "./shard-set.ts";

/** Shards with the epochs under which their owner writes. */
export type ShardEpochs = ReadonlyMap<Shard, number>;

/** The shards. */
export class HeldShards {
  /** 0: not held. */
  readonly #epochs = new Float64Array(SHARD_COUNT);
  readonly #isOpen = new Uint8Array(SHARD_COUNT);
  #open: ShardSet | undefined;

  /** `shards`: what the boot got as it joined. Default: none. */
  constructor(shards: ShardEpochs = new Map()) {
    this.add(shards);
  }

  /** Takes shards that the table gave to this boot. */
  add(shards: ShardEpochs): void {
    for (const [shard, epoch] of shards) {
      this.#epochs[shard] = epoch;
      this.#isOpen[shard] = 1;
    }
    this.#open = undefined;
  }

  /** From now on the journal refuses new writes of these shards; what waits in its queues is still committed. */
  close(shards: Iterable<Shard>): void {
    for (const shard of shards) this.#isOpen[shard] = 0;
    this.#open = undefined;
  }

  /** Forgets shards that were released. */
  remove(shards: Iterable<Shard>): void {
    for (const shard of shards) {
      this.#epochs[shard] = 0;
      this.#isOpen[shard] = 0;
    }
    this.#open = undefined;
  }

  /** True if the journal takes new writes of the shard. */
  holds(shard: Shard): boolean {
    return this.#isOpen[shard] === 1;
  }

  /** Epoch under which rows of the shard are written, also while it is closed; 0 if it is not held. */
  epochOf(shard: Shard): number {
    return this.#epochs[shard] ?? 0;
  }

  /** Shards with the epochs under which they are held, also while they are closed. */
  epochsOf(shards: Iterable<Shard>): ShardEpochs {
    return new Map([...shards].map((shard) => [shard, this.epochOf(shard)]));
  }

  /** The shards that {@link holds} is true of. */
  get open(): ShardSet {
    this.#open ??= ShardSet.of(openOf(this.#isOpen));
    return this.#open;
  }
}

function* openOf(isOpen: Uint8Array): Iterable<Shard> {
  for (let shard = 0; shard < SHARD_COUNT; shard++) if (isOpen[shard] === 1) yield shard;
}
