/** A fixed lot of worlds in both modes: the short form of `npm run simulate`. */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";
import { lineOf } from "./report.ts";
import type { Mode } from "./world.ts";

const FROM = 1_000;
const SEEDS = 80;

async function look(mode: Mode): Promise<void> {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const result = await explore({ seed, mode });
    assert.deepEqual(result.violations, [], `${lineOf(result)}; again: npm run simulate -- --seed ${seed} --mode ${mode}`);
  }
}

describe("simulated worlds", function () {
  this.timeout(280_000);

  it(`keep all promises while everything goes wrong (seeds ${FROM} to ${FROM + SEEDS - 1})`, () => look("safety"));

  it(`bring everything to its end once faults have ended (seeds ${FROM} to ${FROM + SEEDS - 1})`, () => look("liveness"));
});
