import assert from "node:assert/strict";
import { drawShards, shardsByNode } from "../../../../ops/cli/shard-table.ts";

describe("the table of shards", () => {
  const group = (node: string, epoch: number, shards: number) => ({ node, bootId: "", epoch, shards, ranges: [] });

  it("sums up by node", () => {
    assert.deepEqual(shardsByNode([group("a", 1, 1_000), group("a", 3, 1_048), group("", 0, 2_048)]), [
      { node: "a", shards: 2_048, share: 0.5, epochs: { first: 1, last: 3 } },
      { node: undefined, shards: 2_048, share: 0.5, epochs: { first: 0, last: 0 } },
    ]);
  });

  it("writes ranges shortly", () => {
    assert.equal(drawShards([{ first: 0, last: 4_095 }]), "0-4095");
    assert.equal(
      drawShards([
        { first: 1, last: 1 },
        { first: 3, last: 4 },
      ]),
      "1 3-4",
    );
    const text = drawShards(Array.from({ length: 100 }, (_, index) => ({ first: 2 * index, last: 2 * index })));
    assert.match(text, /^0 2 4 .* \.\.\.$/);
    assert.ok(text.length <= 64);
  });
});
