/**
 * Shards as people look at them: summed up by node, and ranges as a short text. Pure.
 */
import { SHARD_COUNT } from "../../runtime/ids.ts";
import type { ShardGroup } from "./wire.ts";

/** Characters of ranges in a line; JSON has them all. */
const TEXT_LENGTH_MAX = 60;

/** What one node owns. */
export interface NodeShards {
  /** Undefined: nobody owns them. */
  readonly node: string | undefined;
  readonly shards: number;
  /** Of all shards: 0 to 1. */
  readonly share: number;
  /** The smallest and the largest epoch. */
  readonly epochs: { readonly first: number; readonly last: number };
}

/** The groups, summed up by node, in the order of their first ones. */
export function shardsByNode(groups: readonly ShardGroup[]): readonly NodeShards[] {
  const byNode = Map.groupBy(groups, ({ node }) => node);
  return [...byNode].map(([node, ofNode]) => {
    const shards = ofNode.reduce((sum, group) => sum + group.shards, 0);
    const epochs = ofNode.map(({ epoch }) => epoch);
    return { node: node || undefined, shards, share: shards / SHARD_COUNT, epochs: { first: Math.min(...epochs), last: Math.max(...epochs) } };
  });
}

/** `0-3 7 9-4095`, cut where it grows too long. */
export function drawShards(ranges: ShardGroup["ranges"]): string {
  let text = "";
  for (const [index, { first, last }] of ranges.entries()) {
    const next = `${index === 0 ? "" : " "}${first === last ? first : `${first}-${last}`}`;
    if (text.length + next.length > TEXT_LENGTH_MAX) return `${text} ...`;
    text += next;
  }
  return text;
}
