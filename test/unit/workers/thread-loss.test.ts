import assert from "node:assert/strict";
import type { AttemptOutcome } from "../../../runtime/workers/pool.ts";
import { failed } from "../../../runtime/workers/protocol.ts";
import { RestartBackoff } from "../../../runtime/workers/restart-backoff.ts";
import { outcomeOfLoss, type ThreadLoss } from "../../../runtime/workers/thread-loss.ts";

const TIMED_OUT = failed("timedOut", "too slow", { timeout: "startToClose" });

/** How attempt 1 ends when its thread is lost. */
function kindOf(verdict: AttemptOutcome | undefined, loss: Partial<ThreadLoss>): string {
  const outcome = outcomeOfLoss(1, verdict, { reason: "gone", culprit: 0, blocked: false, attempts: 2, withOthers: false, ...loss });
  return outcome.kind === "failed" ? outcome.error.kind : outcome.kind;
}

describe("loss of a thread", () => {
  it("is a crash of the culprit, known or alone, and a loss of its neighbours", () => {
    assert.equal(kindOf(undefined, { culprit: 1 }), "crashed");
    assert.equal(kindOf(undefined, { culprit: 2 }), "lost");
    assert.equal(kindOf(undefined, { attempts: 1 }), "crashed");
    assert.equal(kindOf(undefined, { attempts: 2 }), "lost");
    assert.equal(kindOf(undefined, { attempts: 1, withOthers: true }), "lost");
  });

  it("leaves a verdict as it is, unless a neighbour's loop was the reason for it", () => {
    assert.equal(kindOf({ kind: "cancelled" }, { culprit: 2, blocked: true }), "cancelled");
    assert.equal(kindOf(TIMED_OUT, { culprit: 1, blocked: true }), "timedOut");
    assert.equal(kindOf(TIMED_OUT, { culprit: 0, blocked: true }), "timedOut");
    assert.equal(kindOf(TIMED_OUT, { culprit: 2, blocked: false }), "timedOut");
    assert.equal(kindOf(TIMED_OUT, { culprit: 2, blocked: true }), "lost");
  });
});

describe("restart backoff", () => {
  it("does not delay the first losses, doubles up to two seconds, and forgets after a minute", () => {
    const backoff = new RestartBackoff(1);
    const delays = Array.from({ length: 11 }, (_, index) => backoff.lost(index));
    assert.deepEqual(delays, [0, 0, 0, 50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    assert.equal(backoff.lost(61_000), 0);
  });

  it("counts the death of a process with all its threads like that of one thread", () => {
    const backoff = new RestartBackoff(8);
    const delays = Array.from({ length: 32 }, () => backoff.lost(0));
    assert.deepEqual([...new Set(delays)], [0, 50]);
    assert.equal(delays.indexOf(50), 24);
  });
});
