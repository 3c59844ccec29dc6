/** The pace of retention, on a virtual clock. */
import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import type { RunId } from "../../../runtime/ids.ts";
import type { Retention } from "../../../runtime/storage/retention.ts";
import { RetentionSweeper } from "../../../runtime/storage/retention-sweeper.ts";

const ROUND_MS = 600_000;
const KEEP_MS = 1_000_000;

function world(pages: number) {
  const clock = virtualClock();
  const events = new EventHub();
  const told: string[] = [];
  events.on("retention.swept", ({ runs, keys }) => told.push(`swept ${runs} runs, ${keys} keys`));
  events.on("retention.failed", ({ reason }) => told.push(`failed: ${reason}`));
  const state = { isAway: false };
  const retention: Retention = {
    async removeRuns(endedBeforeMs, _limit, after) {
      if (state.isAway) throw new Error("the store is away");
      assert.equal(endedBeforeMs <= clock.now() - KEEP_MS, true);
      const page = Number(after ?? 0) + 1;
      told.push(`page ${page}`);
      return page === pages ? { removed: 1 } : { removed: 2, next: String(page) as RunId };
    },
    removeKeys: async () => ({ removed: 1 }),
    close: async () => undefined,
  };
  const sweeper = new RetentionSweeper({ retention, keepMs: KEEP_MS, clock, events });
  const pass = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
    return told.splice(0);
  };
  return { sweeper, pass, state };
}

describe("the retention sweeper", () => {
  it("goes through all pages, with pauses, and again after a while", async () => {
    const { sweeper, pass } = world(3);
    sweeper.start();
    assert.deepEqual(await pass(ROUND_MS - 1), []);
    assert.deepEqual(await pass(1), ["page 1"]);
    assert.deepEqual(await pass(99), []);
    assert.deepEqual([await pass(1), await pass(100)], [["page 2"], ["page 3", "swept 5 runs, 1 keys"]]);
    assert.deepEqual([await pass(ROUND_MS - 1), await pass(1)], [[], ["page 1"]]);
    await sweeper.stop();
    assert.deepEqual(await pass(ROUND_MS), []);
  });

  it("tells of a failure and begins anew", async () => {
    const { sweeper, pass, state } = world(2);
    sweeper.start();
    assert.deepEqual(await pass(ROUND_MS), ["page 1"]);
    state.isAway = true;
    assert.deepEqual(await pass(100), ["failed: the store is away"]);
    state.isAway = false;
    assert.deepEqual([await pass(100), await pass(ROUND_MS)], [[], ["page 1"]]);
    await sweeper.stop();
  });
});
