/** Each checker notices the defect that was planted for it, and in that world no other one has anything to say. */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";
import { PLANTED_DEFECTS } from "./plants.ts";

/** Worlds that are tried: a defect needs its occasion. */
const SEEDS = 14;

describe("a planted defect", function () {
  this.timeout(280_000);

  for (const { defect, checker, mode, plant } of PLANTED_DEFECTS) {
    it(`"${defect}" is noticed by "${checker}" alone`, async () => {
      const said: string[] = [];
      for (let seed = 1; seed <= SEEDS && !said.includes(checker); seed += 1) {
        const { violations } = await explore({ seed, mode, plant: plant() });
        said.push([...new Set(violations.map((violation) => violation.checker))].join(" and "));
      }
      assert.ok(said.includes(checker), `in the worlds of the seeds from 1 on these spoke: ${said.map((names) => names || "nobody").join(", ")}`);
    });
  }
});
