/** What every store of slots of concurrency keys must do. */
import assert from "node:assert/strict";
import type { BootId, RunId } from "../../runtime/ids.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { lingeringOf, type SlotRequest, type TaskSlot } from "../../runtime/storage/task-slots.ts";
import { atEpoch } from "../support/at-epoch.ts";
import { runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { MakeBed, StorageBed } from "./bed.ts";

/** Declares the suite. */
export function taskSlotsConformance(makeBed: MakeBed): void {
  describe("task slots", () => {
    let bed: StorageBed;
    let boot: BootId;

    beforeEach(async function () {
      this.timeout(30_000);
      bed = await makeBed();
      boot = (await bed.boot()).bootId;
    });
    afterEach(() => bed.close());

    const wanted = (key: string, limit: number, more: Partial<TaskSlot> = {}): SlotRequest => {
      return { key, limit, runId: runIdOn(7), frame: 1, attempt: 1, ...more };
    };
    const several = (count: number, key: string, limit: number): SlotRequest[] => Array.from({ length: count }, () => wanted(key, limit));
    const all = (): Promise<readonly TaskSlot[]> => bed.slots.list(ShardSet.all, 1_000);

    it("gives as many slots of a key as its limit allows, to the first that are asked for", async () => {
      const [ada, bob] = [several(4, "ada", 3), several(2, "bob", 1)];
      assert.deepEqual(await bed.slots.take(boot, [...ada, ...bob]), [...ada.slice(0, 3), ...bob.slice(0, 1)]);
      assert.deepEqual(await bed.slots.take(boot, ada.slice(3)), []);
      await bed.slots.free(ada.slice(0, 1));
      assert.deepEqual(await bed.slots.take(boot, ada.slice(3)), ada.slice(3));
      assert.equal((await all()).length, 4);
    });

    it("gives an attempt one slot, however often it is asked for, by whomever", async () => {
      const attempts = several(2, "ada", 2);
      await bed.slots.take(boot, attempts);
      assert.deepEqual(await bed.slots.take(boot, attempts), attempts);
      await bed.ownership.fence(boot, { even: "alive" });
      const next = (await bed.boot()).bootId;
      assert.deepEqual(
        await bed.slots.take(next, [wanted("ada", 2), ...attempts]),
        attempts,
        "what is held is held behind one that has to wait, too",
      );
      assert.equal((await all()).length, 2);
    });

    it("tells attempts of one task apart, and tasks of one run", async () => {
      const first = wanted("ada", 2);
      const others = [
        { ...first, attempt: 2 },
        { ...first, frame: 2 },
      ];
      assert.deepEqual(await bed.slots.take(boot, [first, ...others]), [first, { ...first, attempt: 2 }]);
      await bed.slots.free([first]);
      assert.deepEqual(await bed.slots.take(boot, [first, ...others].slice(1)), others);
    });

    it("holds each attempt to its own limit, and lets nobody pass by the first", async () => {
      const [strict, generous] = [wanted("ada", 1), wanted("ada", 5)];
      await bed.slots.take(boot, several(1, "ada", 5));
      assert.deepEqual(await bed.slots.take(boot, [strict, generous]), []);
      assert.deepEqual(await bed.slots.take(boot, [generous, strict]), [generous]);
    });

    it("holds all to the least limit that somebody has or waits for, as long as it does", async function () {
      this.timeout(30_000);
      const [first, second, third] = several(3, "ada", 5) as [SlotRequest, SlotRequest, SlotRequest];
      const strict = wanted("ada", 1);
      await bed.slots.take(boot, [first, second]);
      assert.deepEqual(await bed.slots.take(boot, [strict]), []);
      assert.deepEqual(await bed.slots.take(boot, [third]), [], "one with a smaller limit waits");
      await bed.slots.free([first, second]);
      assert.deepEqual(await bed.slots.take(boot, [strict]), [strict]);
      assert.deepEqual(await bed.slots.take(boot, [third]), [], "one with a smaller limit has its slot");
      await bed.slots.free([strict]);
      assert.deepEqual(await bed.slots.take(boot, [third]), [third]);
      await waitUntil("the smaller limit to be forgotten", async () => (await bed.slots.take(boot, [second])).length > 0);
    });

    it("gives nothing to a boot that does not own the runs' shards", async () => {
      const other = (await bed.boot("b")).bootId;
      const attempt = wanted("ada", 1);
      assert.deepEqual(await bed.slots.take(other, [attempt]), []);
      await bed.ownership.release(boot, atEpoch(1, [7]));
      assert.deepEqual(await bed.slots.take(boot, [attempt]), []);
      await bed.ownership.acquire(other, [7]);
      assert.deepEqual(await bed.slots.take(other, [attempt]), [attempt]);
    });

    it("reclaims slots for the owner of their runs only", async () => {
      const other = (await bed.boot("b")).bootId;
      const [here, there] = [wanted("ada", 5), wanted("ada", 5, { runId: runIdOn(8) })];
      await bed.slots.take(boot, [here, there]);
      await bed.ownership.release(boot, atEpoch(1, [8]));
      await bed.ownership.acquire(other, [8]);
      assert.equal(await bed.slots.reclaim(boot, [here, there], atEpoch(1, [7, 8])), 1);
      assert.deepEqual(
        (await all()).map(({ runId }) => runId),
        [there.runId],
      );
      assert.equal(await bed.slots.reclaim(other, [here, there], atEpoch(2, [7, 8])), 1);
      assert.equal((await all()).length, 0);
    });

    it("reclaims nothing by a call from before its shard had left and come back", async () => {
      const other = (await bed.boot("b")).bootId;
      const attempt = wanted("ada", 1);
      await bed.slots.take(boot, [attempt]);
      await bed.ownership.release(boot, atEpoch(1, [7]));
      await bed.ownership.acquire(other, [7]);
      await bed.ownership.release(other, atEpoch(2, [7]));
      await bed.ownership.acquire(boot, [7]);
      assert.deepEqual(await bed.slots.take(boot, [attempt]), [attempt], "it is executed again, with the slot that it has");
      assert.equal(await bed.slots.reclaim(boot, [attempt], atEpoch(1, [7])), 0);
      assert.deepEqual(await bed.slots.take(boot, [wanted("ada", 1)]), [], "the slot is still its own");
      assert.equal(await bed.slots.reclaim(boot, [attempt], atEpoch(3, [7])), 1);
    });

    it("counts executions that linger, beyond the limit", async () => {
      const [first, next] = several(2, "ada", 1) as [SlotRequest, SlotRequest];
      await bed.slots.take(boot, [first]);
      await bed.slots.linger([lingeringOf(first, 5)]);
      await bed.slots.linger([lingeringOf(first, 5), lingeringOf(first, 6)]);
      await bed.slots.free([first]);
      assert.deepEqual(await bed.slots.take(boot, [next]), []);
      await bed.slots.free([lingeringOf(first, 5)]);
      assert.deepEqual(await bed.slots.take(boot, [next]), [], "the same attempt may go on at several places");
      await bed.slots.free([lingeringOf(first, 6)]);
      assert.deepEqual(await bed.slots.take(boot, [next]), [next]);
    });

    it("frees for anyone, and passes over what is free", async () => {
      const attempts = several(2, "ada", 2);
      await bed.slots.take(boot, attempts);
      await bed.ownership.leave(boot);
      await bed.slots.free([...attempts, wanted("ada", 1)]);
      assert.equal((await all()).length, 0);
      await bed.slots.free(attempts);
    });

    it("lists slots of some shards, in pages", async () => {
      const runIds: RunId[] = [1, 2, 3, 4, 4_000].map((shard) => runIdOn(shard));
      await bed.slots.take(
        boot,
        runIds.map((runId) => wanted("ada", 9, { runId })),
      );
      const list = async (shards: ShardSet): Promise<RunId[]> => {
        const found: RunId[] = [];
        for (let after: TaskSlot | undefined; ; ) {
          const page = await bed.slots.list(shards, 2, after);
          found.push(...page.map(({ runId }) => runId));
          after = page.at(-1);
          if (page.length < 2) return found.sort();
        }
      };
      assert.deepEqual(await list(ShardSet.all), runIds.toSorted());
      assert.deepEqual(await list(ShardSet.of([2, 4_000])), [runIds[1], runIds[4]].toSorted());
    });

    it("never gives more than the limit to those who ask at the same time", async () => {
      const others = await Promise.all(Array.from({ length: 4 }, () => bed.openSlots()));
      for (let round = 0; round < 25; round++) {
        const key = `key-${round}`;
        const taken = await Promise.all(others.map((slots) => slots.take(boot, [...several(2, key, 3), ...several(2, "all", 1_000)])));
        assert.equal(taken.flat().filter((slot) => slot.key === key).length, 3);
      }
      assert.equal((await all()).filter(({ key }) => key === "all").length, 200);
    });
  });
}
