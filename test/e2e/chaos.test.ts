/**
 * The short form of the crash tests; `npm run chaos` has the long one, with more scenarios. A failure names the seed that repeats it.
 */
import assert from "node:assert/strict";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { SCENARIOS } from "../chaos/scenarios.ts";
import { endAll } from "../support/maestro-process.ts";

const ROUNDS: Readonly<Record<string, number>> = { kill: 3, "every-write": 10, stall: 1, plants: 1 };

describe("crash tests in short", function () {
  this.timeout(120_000);
  after(endAll);

  for (const [name, rounds] of Object.entries(ROUNDS)) {
    it(`${name}: the audit finds nothing`, async () => {
      const seed = systemRandom().uint32();
      const said: string[] = [];
      const result = await SCENARIOS[name]?.({ random: seededRandom(seed), rounds, say: (line) => said.push(line) });
      assert.deepEqual(result?.findings, [], `npm run chaos -- ${name} --rounds ${rounds} --seed ${seed}\n${said.join("\n")}`);
    });
  }
});
