/** How attempts with a concurrency key get their slots, and when they give them up. */
import assert from "node:assert/strict";
import type { AttemptView } from "../../../actors/run/core/effects.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import { call, runId, dispatcherWorld as setUp } from "../../support/dispatcher-world.ts";

describe("the dispatcher, with concurrency keys", () => {
  const limited: AttemptView = { ...call, scheduling: { concurrency: { key: "ada", limit: 2 } } };
  const id = `${runId}:2:1`;

  it("executes an attempt once it has its slot, which it keeps until its end is committed", () => {
    const { dispatcher, submitted, slots, clock } = setUp();
    dispatcher.dispatch(runId, limited, "{}", "");
    assert.deepEqual([submitted.length, slots.asked[0]?.request], [0, { key: "ada", limit: 2, runId, frame: 2, attempt: 1 }]);
    clock.advance(70);
    slots.asked[0]?.begin();
    assert.equal(submitted[0]?.attempt.waitedMs, 70);
    submitted[0]?.settle({ kind: "completed", output: "1" });
    assert.deepEqual([slots.gone, dispatcher.needsSlot(id)], [[], true]);
    dispatcher.over(runId, limited, "completed", undefined);
    assert.deepEqual([slots.gone, dispatcher.needsSlot(id)], [[`free ${id}`], false]);
  });

  it("says what an attempt waits for, and since when by the wall clock", () => {
    const { dispatcher, submitted, slots, clock, world } = setUp();
    const wait = (): unknown => dispatcher.waitOf(runId, 2, 1);
    const beganMs = clock.now();
    assert.equal(wait(), undefined);
    dispatcher.dispatch(runId, limited, "{}", "");
    slots.waiting.set(id, { key: "ada", limit: 2, sinceMs: clock.monotonic() });
    clock.advance(70);
    assert.deepEqual(wait(), { kind: "concurrency", key: "ada", limit: 2, sinceMs: beganMs });
    slots.waiting.clear();
    world.full = true;
    slots.asked[0]?.begin();
    assert.deepEqual(wait(), { kind: "queue", queue: "default", sinceMs: beganMs }, "the pool had no place for it");
    world.full = false;
    slots.asked[0]?.begin();
    world.waitingSinceMs = clock.monotonic();
    clock.advance(10);
    assert.deepEqual(wait(), { kind: "queue", queue: "default", sinceMs: beganMs + 70 });
    world.waitingSinceMs = undefined;
    assert.equal(wait(), undefined, "it is executed");
    world.waitingSinceMs = clock.monotonic();
    submitted[0]?.settle({ kind: "completed", output: "1" });
    assert.equal(wait(), undefined, "it has ended");
  });

  it("keeps the slot of an abandoned attempt until its execution has ended", () => {
    const { dispatcher, submitted, slots } = setUp();
    dispatcher.dispatch(runId, limited, "{}", "");
    slots.asked[0]?.begin();
    dispatcher.over(runId, limited, "cancelled", undefined);
    dispatcher.abandon(runId, 2, 1);
    assert.deepEqual([slots.gone, dispatcher.needsSlot(id)], [[], true]);
    submitted[0]?.settle({ kind: "cancelled" });
    assert.deepEqual([slots.gone, dispatcher.needsSlot(id)], [[`free ${id}`], false]);
  });

  it("leaves the slot to the next owner of the run, and keeps another until the execution has ended", async () => {
    const { dispatcher, submitted, slots, clock } = setUp();
    dispatcher.dispatch(runId, limited, "{}", "");
    slots.asked[0]?.begin();
    const left = dispatcher.leave(ShardSet.all, 50);
    clock.advance(50);
    await left;
    assert.deepEqual(slots.gone.slice(0, 2), [`linger ${id}`, `forget ${id}`]);
    assert.deepEqual(slots.executed, []);
    submitted[0]?.settle({ kind: "cancelled" });
    assert.deepEqual(slots.executed, [id]);
  });

  it("counts the wait for a slot towards scheduleToStart", () => {
    const { dispatcher, slots, settled, handlers } = setUp();
    handlers.set("charge", { name: "charge", file: "", options: { tier: "thread", scheduleToStartMs: 100 } });
    dispatcher.dispatch(runId, limited, "{}", "");
    assert.equal(slots.asked[0]?.boundMs, 100);
    slots.asked[0]?.late();
    assert.equal(settled[0]?.kind === "failed" && settled[0].error.timeout, "scheduleToStart");
  });

  it("remembers the wait for the slot when the pool has no place then", () => {
    const { dispatcher, slots, submitted, handlers, clock, world } = setUp();
    handlers.set("charge", { name: "charge", file: "", options: { tier: "thread", scheduleToStartMs: 1_000 } });
    dispatcher.dispatch(runId, limited, "{}", "");
    clock.advance(900);
    world.full = true;
    slots.asked[0]?.begin();
    world.full = false;
    clock.advance(50);
    assert.deepEqual([slots.asked[1]?.sinceMs, slots.asked[1]?.boundMs], [0, 50]);
    slots.asked[1]?.begin();
    assert.equal(submitted[0]?.attempt.waitedMs, 950);
  });

  it("does not keep a slot for an end that can't be stored", () => {
    const { dispatcher, submitted, slots, clock, world } = setUp();
    world.runTakes = false;
    dispatcher.dispatch(runId, limited, "{}", "");
    slots.asked[0]?.begin();
    submitted[0]?.settle({ kind: "completed", output: "1" });
    clock.advance(29_999);
    assert.equal(dispatcher.needsSlot(id), true);
    clock.advance(1);
    assert.equal(dispatcher.needsSlot(id), false);
  });
});
