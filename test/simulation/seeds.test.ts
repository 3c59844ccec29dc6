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
];

describe("worlds that once showed a defect", function () {
  this.timeout(120_000);

  for (const { seed, mode, defect } of FOUND) {
    it(`do so no more: ${defect} (seed ${seed}, ${mode})`, async () => {
      assert.deepEqual((await explore({ seed, mode })).violations, []);
    });
  }
});
