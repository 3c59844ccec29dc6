/** The same seed gives the same world, to the last message; another seed, another one. */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";

/** Between them they have every kind of fault. */
const SEEDS = [1, 7, 37] as const;

describe("a simulated world", function () {
  this.timeout(120_000);

  it("is the same whenever its seed is the same", async () => {
    for (const seed of SEEDS) {
      const [first, second] = [await explore({ seed, mode: "safety" }), await explore({ seed, mode: "safety" })];
      assert.equal(second.trace.hash, first.trace.hash, `seed ${seed}`);
      assert.equal(second.events, first.events, `seed ${seed}`);
    }
  });

  it("is another one when its seed is another", async () => {
    const hashes = new Set<string>();
    for (const seed of SEEDS) hashes.add((await explore({ seed, mode: "liveness" })).trace.hash);
    assert.equal(hashes.size, SEEDS.length);
  });
});
