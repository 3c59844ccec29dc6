import assert from "node:assert/strict";
import fc from "fast-check";
import { SHARD_COUNT } from "../../../runtime/ids.ts";
import { HeldShards } from "../../../runtime/storage/held-shards.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";

const anyShards = fc.uniqueArray(fc.nat(SHARD_COUNT - 1), { maxLength: 50 });

describe("a set of shards", () => {
  it("is in order, and knows whether it is a range", () => {
    fc.assert(
      fc.property(anyShards, (shards) => {
        const set = ShardSet.of(shards);
        const sorted = shards.toSorted((a, b) => a - b);
        assert.deepEqual([...set], sorted);
        assert.equal(set.size, shards.length);
        assert.ok(sorted.every((shard) => set.has(shard)));
        const isRange = sorted.length > 0 && sorted.every((shard, index) => shard === (sorted[0] ?? 0) + index);
        assert.deepEqual(set.range, isRange ? { first: sorted[0], last: sorted.at(-1) } : undefined);
      }),
    );
    assert.deepEqual(ShardSet.all.range, { first: 0, last: SHARD_COUNT - 1 });
    assert.deepEqual([...ShardSet.between(7, 9)], [7, 8, 9]);
    assert.deepEqual([ShardSet.none.size, ShardSet.none.range, ShardSet.none.has(0)], [0, undefined, false]);
  });
});

describe("the shards that a boot holds", () => {
  it("keep their epoch while they are closed, and lose it when they are gone", () => {
    const held = new HeldShards(new Map([[3, 7]]));
    assert.deepEqual([held.holds(3), held.epochOf(3), [...held.open]], [true, 7, [3]]);
    held.close([3]);
    assert.deepEqual([held.holds(3), held.epochOf(3), held.open.size], [false, 7, 0]);
    held.remove([3]);
    assert.deepEqual([held.holds(3), held.epochOf(3)], [false, 0]);
    held.add(new Map([[3, 9]]).set(4, 1));
    assert.deepEqual([held.holds(3), held.epochOf(3), [...held.open]], [true, 9, [3, 4]]);
  });
});
