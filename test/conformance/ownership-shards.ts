/** How shards change hands: who gets them, under which epoch, and that an owner that lost or gave them up writes no more of them. */
import assert from "node:assert/strict";
import { newRunId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { ShardEpochs } from "../../runtime/storage/held-shards.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { atEpoch } from "../support/at-epoch.ts";
import { createWrite, entryWrite, runIdOn } from "../support/run-writes.ts";
import { ALL, OVER, type OwnershipBed } from "./ownership-bed.ts";

const epochsOf = (shards: ShardEpochs, ...asked: readonly number[]) => asked.map((shard) => shards.get(shard));
const inOrder = (shards: Iterable<number>) => [...shards].sort((a, b) => a - b);

/** Declares the suite. */
export function shardsSuite({ bed, ownership, another, join }: OwnershipBed): void {
  const owners = async (...shards: readonly number[]) => {
    const view = await ownership().view();
    return shards.map((shard) => view.ownerOf(shard));
  };

  it("gives all shards to a boot that finds no other engine, and raises each epoch with each owner", async () => {
    const first = await join("a");
    assert.deepEqual([first.shards.size, ...epochsOf(first.shards, 0, 1, 4095)], [4096, 1, 1, 1]);
    assert.deepEqual(epochsOf((await join("a")).shards, 0, 1, 4095), [2, 2, 2]);
    const view = await ownership().view();
    assert.deepEqual([view.epochOf(0), view.epochOf(4095), view.nodes[0]?.shards.size], [2, 2, 4096]);
  });

  it("gives a second engine, and a node that is none, nothing", async () => {
    assert.equal((await join("g", { roles: ["gateway"] })).shards.size, 0);
    const a = await join("a");
    assert.equal(a.shards.size, 4096);
    assert.equal((await join("b")).shards.size, 0);
    assert.deepEqual(await owners(0, 4095), [a.bootId, a.bootId]);
  });

  it("leaves the shards of engines whose leases ended to them as another joins: they may come back", async () => {
    const a = await join("a", OVER);
    const b = await join("b", OVER);
    assert.deepEqual([b.shards.size, b.isDraining], [0, false]);
    const { isMember, expired } = await ownership().renew(b.bootId, { leaseMs: 0, load: 0 });
    assert.deepEqual([isMember, expired], [true, [a.bootId]]);
    assert.equal(await ownership().fence(a.bootId), true);
    assert.equal((await ownership().acquire(b.bootId, ALL)).shards.get(9), 2);
  });

  it("gives the shards of an engine that had a store for itself, and whose lease ended, to the next that joins", async () => {
    await join("a", { ...OVER, isAlone: true });
    const b = await join("b", OVER);
    assert.equal(b.shards.size, 4096);
    const c = await join("c", { isAlone: true });
    assert.deepEqual([c.shards.size, c.shards.get(9)], [4096, 3]);
  });

  it("says whose shards were lost rather than given up", async () => {
    const first = await join("a");
    const second = await join("a");
    assert.deepEqual([first.bereft.size, second.bereft.size], [0, 4096]);
    await ownership().leave(second.bootId);
    const third = await join("a");
    assert.deepEqual([third.shards.size, third.bereft.size], [4096, 0]);
    const b = await join("b");
    await ownership().release(third.bootId, atEpoch(3, [1, 2]));
    await ownership().fence(third.bootId, { even: "alive" });
    assert.deepEqual(inOrder((await ownership().acquire(b.bootId, [1, 2, 3, 4])).bereft), [3, 4]);
    const again = await ownership().acquire(b.bootId, [1, 2, 3, 4]);
    assert.deepEqual(
      [inOrder(again.bereft), epochsOf(again.shards, 1, 4)],
      [
        [3, 4],
        [4, 4],
      ],
    );
  });

  it("tells the next owner of a shard that was lost, and given up before its owner had dealt with that", async () => {
    const first = await join("a");
    await ownership().release(first.bootId, atEpoch(1, [3]), ShardSet.of([3]));
    const second = await join("a");
    assert.deepEqual([second.bereft.size, second.bereft.has(3)], [4095, false], "it was never lost");
    const b = await join("b");
    await ownership().release(second.bootId, atEpoch(2, [1, 2, 3]), ShardSet.of([1, 3]));
    assert.deepEqual(inOrder((await ownership().acquire(b.bootId, [1, 2, 3])).bereft), [1]);
    assert.deepEqual(inOrder((await ownership().acquire(b.bootId, [1, 2, 3])).bereft), [1], "told again");
    await ownership().release(b.bootId, atEpoch(3, [1]));
    assert.equal((await ownership().acquire(second.bootId, [1])).bereft.size, 0);
  });

  it("lets only the owner release, and others take what is free", async () => {
    const a = await join("a");
    const b = await join("b");
    assert.equal(await ownership().release(b.bootId, atEpoch(1, [5])), 0);
    assert.equal((await ownership().acquire(b.bootId, [5])).shards.size, 0);
    assert.equal(await ownership().release(a.bootId, atEpoch(1, [5, 6, 7])), 3);
    assert.equal(await ownership().release(a.bootId, atEpoch(1, [7])), 0);
    assert.deepEqual(await owners(4, 5), [a.bootId, undefined]);
    const taken = await ownership().acquire(b.bootId, [4, 5, 6]);
    assert.deepEqual(
      [inOrder(taken.shards.keys()), epochsOf(taken.shards, 5, 6)],
      [
        [5, 6],
        [2, 2],
      ],
    );
    assert.deepEqual(await owners(4, 5, 6, 7), [a.bootId, b.bootId, b.bootId, undefined]);
    const back = await ownership().acquire(a.bootId, ALL);
    assert.deepEqual([back.shards.size, ...epochsOf(back.shards, 4, 5, 7)], [4094, 1, undefined, 2]);
  });

  it("takes nothing from an owner by a release of an earlier epoch, however late it comes", async () => {
    const a = await join("a");
    const b = await join("b");
    assert.equal(await ownership().release(a.bootId, atEpoch(1, [5, 6])), 2);
    const again = await ownership().acquire(a.bootId, [5, 6]);
    assert.deepEqual(epochsOf(again.shards, 5, 6), [2, 2]);
    assert.equal(await ownership().release(a.bootId, atEpoch(1, [4, 5, 6])), 1, "of 4 the epoch is the same");
    assert.deepEqual(await owners(4, 5, 6), [undefined, a.bootId, a.bootId]);
    assert.deepEqual(inOrder((await ownership().acquire(b.bootId, [4, 5, 6])).shards.keys()), [4]);
    assert.equal(await ownership().release(a.bootId, again.shards), 2);
  });

  it("gives nothing to a boot that is no member", async () => {
    const a = await join("a");
    const b = await join("b");
    const c = await join("c");
    await ownership().release(a.bootId, atEpoch(1, [1]));
    await ownership().fence(b.bootId, { even: "alive" });
    await ownership().leave(c.bootId);
    for (const { bootId } of [b, c]) assert.equal((await ownership().acquire(bootId, [1])).shards.size, 0);
    await ownership().leave(a.bootId);
    assert.equal(await ownership().release(a.bootId, atEpoch(1, [2])), 0);
    assert.equal((await ownership().acquire(a.bootId, [2])).shards.size, 0, "what it owned is free, and not its own any more");
    assert.deepEqual(await owners(1, 2), [undefined, undefined]);
  });

  it("frees the shards of a boot that was fenced or left, for whoever comes", async () => {
    const a = await join("a");
    const b = await join("b");
    await ownership().fence(a.bootId, { even: "alive" });
    assert.deepEqual(await owners(0), [undefined]);
    assert.deepEqual(epochsOf((await ownership().acquire(b.bootId, ALL)).shards, 0, 4095), [2, 2]);
    await ownership().leave(b.bootId);
    assert.deepEqual(epochsOf((await join("c")).shards, 0, 4095), [3, 3]);
  });

  it("gives each free shard to exactly one of those that take it at once", async () => {
    const a = await join("a");
    const others = await Promise.all(
      ["b", "c", "d"].map(async (name) => {
        const node = await another();
        return { node, ...(await join(name, {}, node)) };
      }),
    );
    const random = seededRandom(7);
    let held = a.shards;
    for (let round = 1; round <= 10; round++) {
      const free = ALL.filter((shard) => shard % 10 === round % 10);
      assert.equal(await ownership().release(a.bootId, new Map([...held].filter(([shard]) => free.includes(shard)))), free.length);
      const taken = await Promise.all(
        others.map(async ({ bootId, node }) => {
          const asked = free.filter(() => random.fraction() < 0.8);
          return { bootId, asked, shards: (await node.acquire(bootId, asked)).shards };
        }),
      );
      const view = await ownership().view();
      for (const shard of free) {
        const winners = taken.filter(({ shards }) => shards.has(shard));
        assert.equal(winners.length, taken.some(({ asked }) => asked.includes(shard)) ? 1 : 0, `shard ${shard}`);
        assert.equal(view.ownerOf(shard), winners[0]?.bootId);
        assert.equal(view.epochOf(shard), winners[0] === undefined ? 0 : (winners[0].shards.get(shard) ?? -1));
      }
      for (const { bootId, shards } of taken) await ownership().release(bootId, shards);
      const back = await ownership().acquire(a.bootId, free);
      assert.equal(back.shards.size, free.length);
      held = new Map([...held, ...back.shards]);
    }
  });

  it("refuses, in the journal, what the boot does not hold, and takes it again under the next epoch", async () => {
    const { journal, held, bootId } = await bed().boot("a");
    const runId = runIdOn(50);
    await journal.append(createWrite(runId));
    const waiting = journal.append(entryWrite(runId, 2));
    held.close([50]);
    await assert.rejects(journal.append(entryWrite(runId, 3)), { code: "SHARD_MOVED" });
    await waiting;
    await journal.flush();
    await ownership().release(bootId, held.epochsOf([50]));
    held.remove([50]);
    await assert.rejects(journal.append(entryWrite(runId, 3)), { code: "SHARD_MOVED" });
    assert.equal((await journal.read(runId, 1, 10)).length, 2);
    await journal.append(createWrite(newRunId(51, 1_000, seededRandom(1))));

    const heir = await bed().boot("b");
    heir.held.add((await ownership().acquire(heir.bootId, [50])).shards);
    assert.deepEqual([heir.held.open.size, heir.held.epochOf(50)], [1, 2]);
    await heir.journal.append(entryWrite(runId, 3));
    await assert.rejects(heir.journal.append(createWrite(runIdOn(51))), { code: "SHARD_MOVED" });
    heir.held.close([50]);
    await ownership().release(heir.bootId, heir.held.epochsOf([50]));
    heir.held.remove([50]);

    held.add((await ownership().acquire(bootId, [50])).shards);
    await journal.append(entryWrite(runId, 4));
    assert.deepEqual([held.epochOf(50), (await journal.read(runId, 1, 10)).length], [3, 4]);
  });

  it("refuses a write that still waits when its shard is gone", async () => {
    const { journal, held } = await bed().boot("a");
    const runId = runIdOn(60);
    const append = journal.append(createWrite(runId));
    held.remove([60]);
    await assert.rejects(append, { code: "SHARD_MOVED" });
    assert.equal(await journal.find(runId), undefined);
  });

  it("refuses every write of a boot that left or was fenced", async () => {
    const a = await bed().boot("a");
    const b = await bed().boot("b");
    b.held.add(new Map([[70, 1]]));
    await ownership().leave(b.bootId);
    await assert.rejects(b.journal.append(createWrite(runIdOn(70))), { code: "JOURNAL_FENCED" });
    await ownership().fence(a.bootId, { even: "alive" });
    await assert.rejects(a.journal.append(createWrite(runIdOn(71))), { code: "JOURNAL_FENCED" });
  });

  it("keeps no refusal of an earlier time: what others wrote meanwhile is gone on from", async () => {
    const { journal, held, bootId } = await bed().boot("a");
    const runId = runIdOn(80);
    await journal.append(createWrite(runId));
    await assert.rejects(journal.append(entryWrite(runId, 1, { entries: Buffer.from("else") })), { code: "JOURNAL_REJECTED" });
    await assert.rejects(journal.append(entryWrite(runId, 2)), { code: "JOURNAL_REJECTED" });
    await ownership().release(bootId, held.epochsOf([80]));
    held.remove([80]);
    held.add((await ownership().acquire(bootId, [80])).shards);
    await journal.append(entryWrite(runId, 2));
    assert.equal((await journal.read(runId, 1, 10)).length, 2);
  });
}
