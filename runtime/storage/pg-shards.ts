/**
 * Shards in SQL. A range is compared with its ends, as cheap as can be; scattered shards are looked up in a list, which the server hashes once. Both
 * ways the planner knows, by the statistics on `shard_of`, how many rows it will find. Pure.
 */
import type { ShardSet } from "./shard-set.ts";

/** A condition with the values of its parameters. */
export interface Condition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** That the shard of a run is one of `shards`. `column`: the run's id. `parameter`: the number of the condition's first one. */
export function shardCondition(shards: ShardSet, column: string, parameter: number): Condition {
  const { range } = shards;
  if (range === undefined) return { text: `shard_of(${column}) = ANY($${parameter}::integer[])`, values: [[...shards]] };
  return { text: `shard_of(${column}) BETWEEN $${parameter} AND $${parameter + 1}`, values: [range.first, range.last] };
}
