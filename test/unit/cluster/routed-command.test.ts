/** What a run of this node answers to a command that it may have heard before. */
import assert from "node:assert/strict";
import { obey } from "../../../actors/cluster/routed-command.ts";
import type { RunId } from "../../../runtime/ids.ts";
import { code, FOREVER, runsBed, SIGNAL } from "../../support/runs-bed.ts";
import { startOf } from "../../support/runs-node.ts";

describe("a command that comes again", () => {
  const bed = runsBed();
  const begin = async (): Promise<RunId> => (await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)))).runId;

  for (const [kind, status] of [
    ["cancel", "cancelled"],
    ["terminate", "terminated"],
  ] as const) {
    it(`is done when the run has ended by it: ${kind}`, async () => {
      const runId = await begin();
      const tell = (isRepeat: boolean): Promise<void> => obey(bed.node.runs, runId, { kind, reason: "enough" }, isRepeat);
      await tell(false);
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, status);
      await tell(true);
    });
  }

  it("is refused when the run has ended otherwise", async () => {
    const runId = await begin();
    await bed.node.runs.terminate(runId, "enough");
    await assert.rejects(obey(bed.node.runs, runId, { kind: "cancel", reason: "" }, true), code("RUN_ENDED"));
  });

  it("is done when the run is in quarantine no more, which refuses one that comes first: release", async () => {
    const runId = await begin();
    await obey(bed.node.runs, runId, { kind: "release" }, true);
    await assert.rejects(obey(bed.node.runs, runId, { kind: "release" }, false), code("RUN_NOT_QUARANTINED"));
  });
});
