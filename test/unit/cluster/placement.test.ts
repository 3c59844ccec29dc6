import assert from "node:assert/strict";
import fc from "fast-check";
import { Placement } from "../../../runtime/cluster/placement.ts";
import { SHARD_COUNT } from "../../../runtime/ids.ts";

const SHARDS = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 10 });

describe("Placement", () => {
  it("gives every shard to one of the nodes, whatever their order, and none without nodes", () => {
    fc.assert(
      fc.property(names, (nodes) => {
        const placement = new Placement(nodes);
        const again = new Placement([...nodes].reverse());
        for (const shard of SHARDS) {
          assert.ok(nodes.includes(placement.ownerOf(shard) ?? ""));
          assert.equal(placement.ownerOf(shard), again.ownerOf(shard));
        }
      }),
    );
    assert.equal(new Placement([]).ownerOf(0), undefined);
  });

  it("moves only the shards of the node that left, and gives them back when it returns", () => {
    fc.assert(
      fc.property(names, fc.nat(), (nodes, choice) => {
        const gone = nodes[choice % nodes.length];
        const before = new Placement(nodes);
        const after = new Placement(nodes.filter((name) => name !== gone));
        for (const shard of SHARDS) if (before.ownerOf(shard) !== gone) assert.equal(after.ownerOf(shard), before.ownerOf(shard));
      }),
    );
  });

  it("spreads the shards evenly: within 15 % for 3 to 10 nodes of usual names", () => {
    const namings = [(index: number) => `node-${index}`, (index: number) => `maestro-${index}.maestro.svc`, (index: number) => `10.0.0.${index + 1}`];
    for (const naming of namings) {
      for (let count = 3; count <= 10; count++) {
        const placement = new Placement(Array.from({ length: count }, (_, index) => naming(index)));
        const shares = Map.groupBy(SHARDS, (shard) => placement.ownerOf(shard));
        for (const [name, shards] of shares) {
          const excess = (shards.length * count) / SHARD_COUNT - 1;
          assert.ok(Math.abs(excess) <= 0.15, `${name} of ${count} has ${shards.length} shards`);
        }
        assert.equal(shares.size, count);
      }
    }
  });

  it("is the same in every version of the program", () => {
    const placement = new Placement(["a", "b", "c"]);
    assert.equal(
      SHARDS.slice(0, 48)
        .map((shard) => placement.ownerOf(shard))
        .join(""),
      "accaababacbacccacbcbbbccbcababaaacabbbcbacbcabbc",
    );
  });
});
