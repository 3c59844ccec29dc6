import assert from "node:assert/strict";
import fc from "fast-check";
import { listRequestOf, statusMessage, statusOf, timeMsOf, timestamp } from "../../../gateway/grpc-messages.ts";
import { callerWith } from "../../../gateway/service/caller.ts";
import { RunStatus } from "../../../proto/gen/maestro/v1/common.ts";
import type { RunStatus as DomainStatus } from "../../../runtime/storage/journal.ts";

describe("gRPC messages", () => {
  it("carry every status there and back", () => {
    const statuses: DomainStatus[] = ["pending", "running", "waiting", "completed", "failed", "cancelled", "terminated", "quarantined"];
    for (const status of statuses) assert.equal(statusOf(statusMessage(status)), status);
    assert.equal(statuses.length, Object.keys(RunStatus).length - 1);
  });

  it("carry times to the millisecond, also before 1970", () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (timeMs) => {
        const { seconds, nanos } = timestamp(timeMs);
        assert.ok(Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9);
        assert.equal(timeMsOf({ seconds, nanos }), timeMs);
      }),
    );
    assert.equal(timeMsOf(undefined), undefined);
  });

  it("refuse a status that no run can have", () => {
    const request = { namespace: "", workflow: "", createdAfter: undefined, createdBefore: undefined, pageSize: 0, pageToken: "" };
    for (const status of [RunStatus.UNSPECIFIED, 99 as RunStatus]) {
      assert.throws(() => listRequestOf({ ...request, statuses: [status] }), {
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
