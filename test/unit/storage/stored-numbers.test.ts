/** Numbers that are stored, or that other versions read, and so never change: written out here, for a change of them to be seen. */
import assert from "node:assert/strict";
import { newRunId, parseRunId, SHARD_COUNT, shardOf, timeOf } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { WAKE } from "../../../runtime/storage/journal.ts";

describe("what is stored for good", () => {
  it("is read off a run's id as it always was: its shard, and when it was created", () => {
    const runId = parseRunId("019B76DA-AF81-7D5F-A347-1BE04E0EFA35");
    assert.ok(runId !== undefined);
    assert.deepEqual([shardOf(runId), timeOf(runId), SHARD_COUNT], [0xd5f, 0x019b76daaf81, 4_096]);
    assert.match(newRunId(0xd5f, 0x019b76daaf81, seededRandom(1)), /^019b76da-af81-7d5f-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("has the bits of the reasons to wake up", () => {
    assert.deepEqual({ ...WAKE }, { ready: 1, timer: 2, signal: 4 });
  });
});
