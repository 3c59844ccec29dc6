/** Shards of one epoch. */
import type { Shard } from "../../runtime/ids.ts";
import type { ShardEpochs } from "../../runtime/storage/held-shards.ts";

/** Some shards, all under the same epoch. */
export function atEpoch(epoch: number, shards: Iterable<Shard>): ShardEpochs {
  return new Map([...shards].map((shard) => [shard, epoch]));
}
