import assert from "node:assert/strict";
import { AttemptBuffer } from "../../../runtime/storage/attempt-buffer.ts";
import type { AttemptRecord } from "../../../runtime/storage/task-ledger.ts";
import { runIdOn } from "../../support/run-writes.ts";

describe("the buffer of attempts", () => {
  const runId = runIdOn();
  const attempt = (number: number, status: AttemptRecord["status"] = "scheduled"): AttemptRecord => {
    return { runId, frame: 1, attempt: number, path: "/do/0", handler: "h", status, createdAtMs: 1 };
  };

  it("keeps the last record of an attempt", () => {
    const buffer = new AttemptBuffer(10);
    for (const record of [attempt(1), attempt(2), attempt(1, "completed")]) buffer.add(record);
    assert.deepEqual(buffer.take(10), [attempt(1, "completed"), attempt(2)]);
    assert.equal(buffer.size, 0);
  });

  it("drops and counts what it has no room for, but takes news of an attempt that it holds", () => {
    const buffer = new AttemptBuffer(2);
    assert.deepEqual(
      [attempt(1), attempt(2), attempt(3), attempt(2, "failed")].map((record) => buffer.add(record)),
      [true, true, false, true],
    );
    assert.deepEqual([buffer.dropped, buffer.size], [1, 2]);
  });

  it("does not let what is put back replace what came later", () => {
    const buffer = new AttemptBuffer(10);
    buffer.add(attempt(1));
    buffer.add(attempt(2));
    const taken = buffer.take(1);
    buffer.add(attempt(1, "completed"));
    buffer.putBack(taken);
    assert.deepEqual(buffer.take(10), [attempt(2), attempt(1, "completed")]);
  });
});
