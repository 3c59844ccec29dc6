/**
 * Shards with their epochs, as PostgreSQL answers them: a row for each epoch, with its shards as one text. Thousands of shards have few epochs, and
 * one text is decoded many times faster than thousands of rows. And as it is asked about them: a statement that comes late must not meet a later epoch. Pure.
 */
import type { ShardEpochs } from "./held-shards.ts";

/** The shards of one epoch. */
export interface EpochRow {
  /** A bigint; null: there is none. */
  readonly epoch: string | null;
  /** The shards, separated by commas. */
  readonly shards: string | null;
}

/** The columns of an {@link EpochRow}, for a query that groups by epoch. */
export const EPOCH_COLUMNS = "epoch, array_to_string(array_agg(shard), ',') AS shards";

/** Shards with their epochs as a table `t` of a query, the second and third parameters of which are arrays of these. */
export const TENURES = "unnest($2::smallint[], $3::bigint[]) AS t (shard, epoch)";

/** The row `s` of `shards` is in the epoch that {@link TENURES} names. */
export const IS_TENURE = "s.shard = t.shard AND s.epoch = t.epoch";

/** What the rows say. */
export function decodeShardEpochs(rows: readonly EpochRow[]): ShardEpochs {
  const decoded = new Map<number, number>();
  for (const { epoch, shards } of rows) {
    if (epoch === null || shards === null) continue;
    const value = Number(epoch);
    for (const shard of shards.split(",")) decoded.set(Number(shard), value);
  }
  return decoded;
}
