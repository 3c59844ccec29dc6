/** Worlds that once showed a defect of the product. */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";
import type { Mode } from "./world.ts";

const FOUND: readonly { readonly seed: number; readonly mode: Mode; readonly defect: string }[] = [
  {
    seed: 1,
    mode: "safety",
    defect: "a retry was decided on a node whose clock was behind that of the run's first node, and the run was quarantined",
  },
  {
    seed: 1,
    mode: "liveness",
    defect:
      "events that a node committed before it began to catch up were dated by its clock, passed over by that of the owner before, and never published",
  },
  {
    seed: 17,
    mode: "liveness",
    defect: "a node that asked what a shard owed after it had lost it heard of no debt, and published what it had held back before what was missing",
  },
  {
    seed: 100_283,
    mode: "liveness",
    defect: "a shard left and came back while its node caught up with events: the pass of before paid the new debt, which it knew nothing of",
  },
  {
    seed: 2462,
    mode: "safety",
    defect: "a run that ended while the wake-up audit's answer was on its way was reported as one that nothing would wake",
  },
  ...(["safety", "liveness"] as const).map((mode) => ({
    seed: 6366,
    mode,
    defect: "a node's mark went past what it had dropped in a pass whose payment of the debt was carried out, and whose answer was lost",
  })),
  ...(["safety", "liveness"] as const).map((mode) => ({
    seed: 8750,
    mode,
    defect: "an attempt that ended at an executor whose loan was over gave its slot up while the next one still executed it",
  })),
  { seed: 4200, mode: "safety", defect: "the runs of a node that stopped between two looks of its auditor were reported as without wake-up" },
  ...(
    [
      [4538, "liveness"],
      [5660, "liveness"],
      [5660, "safety"],
    ] as const
  ).map(([seed, mode]) => ({
    ...{ seed, mode },
    defect: "a pass that ended while its shard was left paid the debt that had just been written down for the next owner",
  })),
];

describe("worlds that once showed a defect", function () {
  this.timeout(120_000);

  for (const { seed, mode, defect } of FOUND) {
    it(`do so no more: ${defect} (seed ${seed}, ${mode})`, async () => {
      assert.deepEqual((await explore({ seed, mode })).violations, []);
    });
  }
});
