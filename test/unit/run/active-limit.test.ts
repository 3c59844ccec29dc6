/** How many runs are let in: laws for any load, and what it comes to in a node that can carry so much and no more. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ActiveLimit, LOOK_EVERY_MS, type NodeLoad, TARGET_DELAY_MS } from "../../../actors/run/active-limit.ts";
import { LIMITS } from "../../../runtime/limits.ts";

const IDLE: NodeLoad = { runs: 0, writesWait: false, tasksActive: 0, tasksQueued: 0 };

/** A node where as many runs want to go on as the limit lets in, and each write takes as long as all that stand before it. */
function settledLimit(writesPerSecond: number, looks: number): number {
  const limit = new ActiveLimit();
  for (let look = 1; look <= looks; look += 1) {
    limit.noteCommit((limit.value / writesPerSecond) * 1_000);
    limit.look(look * LOOK_EVERY_MS, () => ({ ...IDLE, runs: limit.value, writesWait: true }));
  }
  return limit.value;
}

/** The limit after looks at a node whose threads are all taken, with that many tasks ended between two looks. */
function limitOfBusyThreads(tasksEnded: number, looks: number): number {
  const limit = new ActiveLimit();
  limit.look(0, () => IDLE);
  for (let look = 1; look <= looks; look += 1) {
    for (let task = 0; task < tasksEnded; task += 1) limit.noteTask();
    limit.look(look * LOOK_EVERY_MS, () => ({ ...IDLE, runs: limit.value, tasksActive: 128, tasksQueued: 10_000 }));
  }
  return limit.value;
}

describe("the limit of runs under way", () => {
  it("stays between its bounds and changes at most to twice or half of what is under way, whatever happens", () => {
    const looks = fc.array(
      fc.record({
        delays: fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 5 }),
        tasks: fc.nat(50),
        load: fc.record({ runs: fc.nat(100_000), writesWait: fc.boolean(), tasksActive: fc.nat(500), tasksQueued: fc.nat(100_000) }),
      }),
    );
    fc.assert(
      fc.property(looks, (steps) => {
        const limit = new ActiveLimit();
        for (const [index, { delays, tasks, load }] of steps.entries()) {
          for (const delayMs of delays) limit.noteCommit(delayMs);
          for (let task = 0; task < tasks; task += 1) limit.noteTask();
          limit.look(index * LOOK_EVERY_MS, () => load);
          assert.ok(limit.value >= Math.max(LIMITS.activeRunsAtLeast, Math.min(Math.ceil(load.runs / 2), LIMITS.activeRuns)));
          assert.ok(limit.value <= Math.max(LIMITS.activeRunsAtLeast, Math.min(2 * load.runs, LIMITS.activeRuns)));
        }
      }),
    );
  });

  it("settles where writes are committed within the target", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: 500_000 }), (writesPerSecond) => {
        const carried = (writesPerSecond * TARGET_DELAY_MS) / 1_000;
        const limit = settledLimit(writesPerSecond, 30);
        assert.ok(Math.abs(limit - carried) <= carried / 10, `${limit} where the node carries ${carried}`);
      }),
    );
  });

  it("keeps enough runs to fill the commits where the target is out of reach", () => {
    assert.equal(settledLimit(100, 30), LIMITS.activeRunsAtLeast);
  });

  it("grows without an end for runs that only wait for slow tasks", () => {
    assert.equal(limitOfBusyThreads(10, 30), LIMITS.activeRuns);
  });

  it("does not grow for runs that wait behind quick tasks", () => {
    assert.equal(limitOfBusyThreads(1_000, 30), LIMITS.activeRunsAtLeast);
  });

  it("does not grow while writes wait and none is committed, nor as soon as there is no commit", () => {
    for (const [looks, writesWait] of [
      [30, true],
      [9, false],
    ] as const) {
      const limit = new ActiveLimit();
      for (let look = 0; look < looks; look += 1) limit.look(look * LOOK_EVERY_MS, () => ({ ...IDLE, runs: limit.value, writesWait }));
      assert.equal(limit.value, LIMITS.activeRunsAtLeast);
    }
  });

  it("looks no more often than its interval", () => {
    const limit = new ActiveLimit();
    let looks = 0;
    const load = (): NodeLoad => {
      looks += 1;
      return IDLE;
    };
    for (let nowMs = 0; nowMs < 10 * LOOK_EVERY_MS; nowMs += 1) limit.look(nowMs, load);
    assert.equal(looks, 10);
  });
});
