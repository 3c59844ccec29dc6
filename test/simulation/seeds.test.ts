/** Worlds that once showed a defect of the product. */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";
import type { Mode } from "./world.ts";

const FOUND: readonly { readonly seed: number; readonly mode: Mode; readonly defect: string }[] = [
  {
    seed: 13,
    mode: "safety",
    defect: "a retry was decided on a node whose clock was behind that of the run's first node, and the run was quarantined",
  },
  {
    seed: 2,
    mode: "safety",
    defect: "the runs of shards that a node took were listed once, in vain, and nobody brought them back for half a minute",
  },
  { seed: 10_004, mode: "liveness", defect: "the same, after the loss of a node" },
];

describe("worlds that once showed a defect", function () {
  this.timeout(120_000);

  for (const { seed, mode, defect } of FOUND) {
    it(`do so no more: ${defect} (seed ${seed}, ${mode})`, async () => {
      assert.deepEqual((await explore({ seed, mode })).violations, []);
    });
  }
});
