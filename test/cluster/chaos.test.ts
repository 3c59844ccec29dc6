/**
 * The short form of the cluster's crash test: three nodes, one of which is killed, stands still and is cut off from PostgreSQL, and NATS is killed.
 * `npm run chaos -- cluster` has the long one. A failure names the seed that draws the same again.
 */
import assert from "node:assert/strict";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { clusterBriefly } from "../chaos/cluster/cluster.ts";
import { endAll } from "../support/maestro-process.ts";

describe("crash test of a cluster in short", function () {
  this.timeout(240_000);
  after(endAll);

  it("finds nothing", async () => {
    const seed = systemRandom().uint32();
    console.log(`      seed ${seed}`);
    const said: string[] = [];
    const { summary, findings } = await clusterBriefly({ random: seededRandom(seed), rounds: undefined, say: (line) => said.push(line) });
    assert.deepEqual(findings, [], `seed ${seed}\n${said.join("\n")}\n${summary.join("\n")}`);
    for (const line of summary) console.log(`      ${line}`);
  });
});
