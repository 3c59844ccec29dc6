import assert from "node:assert/strict";
import { documentOf, gatewayParts } from "../../support/gateway-world.ts";

const ALL = { namespace: "", workflow: "", statuses: [], createdAfterMs: undefined, createdBeforeMs: undefined, pageSize: 0, pageToken: "" };
const START = { namespace: "", workflow: "old", version: "", input: "1", idempotencyKey: "", labels: {} };
const CALLER = { userId: "ada", traceParent: "" };

describe("a list of runs by the name of their workflow", () => {
  it("has the runs of versions that were removed, with their names", async () => {
    const { runs, workflows } = gatewayParts();
    await workflows.deploy(documentOf("old", "1.0.0"), false);
    const { runId } = await runs.start(START, CALLER);
    await workflows.remove({ namespace: "", name: "old", version: "" });
    const page = await runs.list({ ...ALL, workflow: "old" });
    assert.deepEqual(
      page.rows.map(({ run, workflow }) => [run.runId, workflow?.name, workflow?.version]),
      [[runId, "old", "1.0.0"]],
    );
    await assert.rejects(runs.start(START, CALLER), { code: "WORKFLOW_NOT_FOUND" });
  });
});
