/** The short form of the fuzzer, for mocha: a few thousand cases of a new seed each time, and whether a planted defect is noticed. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { systemRandom } from "../../runtime/random.ts";
import { runTarget } from "./engine.ts";
import type { FuzzTarget } from "./target.ts";

/** Cases of the short form. */
const BRIEF_CASES = 2_000;

/** Runs `cases` cases, from the seed in FUZZ_SEED if it is set. Fails with the seed and the reduced input of the first that fails. */
export async function fuzzBriefly<Input>(target: FuzzTarget<Input>, cases = BRIEF_CASES): Promise<void> {
  const seed = Number(process.env.FUZZ_SEED ?? systemRandom().uint32());
  try {
    const { failures } = await runTarget(target, { cases, seed, failuresMax: 1 });
    const [first] = failures;
    if (first !== undefined) assert.fail(`seed ${first.seed}: ${inspect(first.problem)}\nreduced input: ${first.input}`);
  } finally {
    await target.close();
  }
}

/** Runs cases until one fails, which must happen: `problem` says how. */
export async function fuzzUntilNoticed<Input>(target: FuzzTarget<Input>, problem: RegExp): Promise<void> {
  try {
    const { failures } = await runTarget(target, { cases: BRIEF_CASES, seed: 1, failuresMax: 1, isReducing: false });
    assert.match(inspect(failures[0]?.problem), problem);
  } finally {
    await target.close();
  }
}
