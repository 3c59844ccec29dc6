/** Concurrency keys on a virtual clock: nodes die and hand shards over at any moment, the store is slow and fails. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { SlotWorld } from "../support/slot-world.ts";

/** Time in which everything that is left gets through once nothing fails any more, in milliseconds. */
const QUIET_MS = 90_000;

const STEPS = ["schedule", "schedule", "schedule", "cancel", "kill", "handOver", "pass"] as const;
const LIMITS_BY_KEY = { ada: 1, bob: 2, eve: 5 };

describe("concurrency keys, whatever dies and fails", () => {
  it("are never held by more attempts than their limit, lose nobody, and leave no slot behind", async function () {
    this.timeout(120_000);
    const step = fc.tuple(fc.constantFrom(...STEPS), fc.nat(300), fc.constantFrom("ada", "bob", "eve"));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 60, size: "max" as const }),
        async (seed, nodes, steps) => {
          const world = new SlotWorld(seed, nodes);
          world.failures = 0.2;
          for (const [what, durationMs, key] of steps) {
            if (what === "schedule") world.schedule({ key, limit: LIMITS_BY_KEY[key as keyof typeof LIMITS_BY_KEY] });
            if (what === "cancel") world.cancel();
            if (what === "kill") world.kill();
            if (what === "handOver") void world.handOver();
            await world.pass(durationMs);
          }
          world.failures = 0;
          for (let passedMs = 0; world.left > 0 && passedMs < QUIET_MS; passedMs += 1_000) await world.pass(1_000);
          assert.equal(world.left, 0, "everything gets through");
          await world.pass(30_000);
          assert.deepEqual(await new MemoryTaskSlots(world.store).list(ShardSet.all, 100), [], "no slot is left behind");
        },
      ),
      // Shrinking would take minutes; the seed says enough.
      { numRuns: 150, endOnFailure: true },
    );
  });

  it("with different limits are held to the least, and keep nobody waiting for ever who asks for less", async () => {
    const world = new SlotWorld(1, 2);
    for (let count = 0; count < 10; count++) world.schedule({ key: "ada", limit: 5 });
    await world.pass(100);
    for (let count = 0; count < 3; count++) world.schedule({ key: "ada", limit: 1 }, 1);
    for (let seconds = 0; world.leftOf(1) > 0 && seconds < 30; seconds++) {
      // More than can be executed: there are always some that wait.
      for (let count = 0; count < 60; count++) world.schedule({ key: "ada", limit: 5 });
      await world.pass(1_000);
    }
    assert.equal(world.leftOf(1), 0);
  });

  it("are used up to their limit, by all nodes together", async () => {
    const world = new SlotWorld(1, 3);
    for (let count = 0; count < 60; count++) world.schedule({ key: "ada", limit: 4 });
    for (let seconds = 0; world.left > 0 && seconds < 60; seconds++) await world.pass(1_000);
    assert.deepEqual([world.left, world.most.get("ada")], [0, 4]);
  });
});
