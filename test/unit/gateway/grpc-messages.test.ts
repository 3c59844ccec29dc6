import assert from "node:assert/strict";
import fc from "fast-check";
import type { HistoryEntry } from "../../../actors/runs.ts";
import { entryMessage, listRequestOf, resultMessage, statusOf } from "../../../gateway/grpc-messages.ts";
import { callerWith } from "../../../gateway/service/caller.ts";
import { RunStatus } from "../../../proto/gen/maestro/v1/common.ts";
import type { ListRunsRequest } from "../../../proto/gen/maestro/v1/run_service.ts";
import type { RunId } from "../../../runtime/ids.ts";
import type { RunStatus as DomainStatus } from "../../../runtime/storage/journal.ts";

const FACT: HistoryEntry = {
  seq: 1,
  atMs: 0,
  type: "run.started",
  path: "",
  task: "",
  kind: "",
  attempt: 0,
  details: "{}",
  error: undefined,
  status: undefined,
};
const LIST: ListRunsRequest = {
  namespace: "",
  workflow: "",
  statuses: [],
  createdAfter: undefined,
  createdBefore: undefined,
  pageSize: 0,
  pageToken: "",
};

describe("gRPC messages", () => {
  it("carry every status there and back", () => {
    const statuses: DomainStatus[] = ["pending", "running", "waiting", "completed", "failed", "cancelled", "terminated", "quarantined"];
    for (const status of statuses)
      assert.equal(statusOf(resultMessage({ runId: "" as RunId, status, output: undefined, error: undefined }).status), status);
    assert.equal(statuses.length, Object.keys(RunStatus).length - 1);
  });

  it("carry times to the millisecond, also before 1970", () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (timeMs) => {
        const at = entryMessage({ ...FACT, atMs: timeMs }).at ?? { seconds: 0, nanos: -1 };
        assert.ok(Number.isInteger(at.nanos) && at.nanos >= 0 && at.nanos < 1e9);
        assert.equal(listRequestOf({ ...LIST, createdAfter: at }).createdAfterMs, timeMs);
      }),
    );
    assert.equal(listRequestOf(LIST).createdAfterMs, undefined);
  });

  it("refuse a status that no run can have", () => {
    for (const status of [RunStatus.UNSPECIFIED, 99 as RunStatus]) {
      assert.throws(() => listRequestOf({ ...LIST, statuses: [status] }), {
        code: "FIELD_INVALID",
        facts: { field: "statuses", reason: `${status} is no status that a run can have.` },
      });
    }
  });

  it("carry a trace context only if it is one", () => {
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert.deepEqual(callerWith(traceParent), { userId: "anonymous", traceParent });
    for (const text of [undefined, "", "00-x", `${traceParent}\n`, traceParent.toUpperCase()]) assert.equal(callerWith(text).traceParent, "");
  });
});
