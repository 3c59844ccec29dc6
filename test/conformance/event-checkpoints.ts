/**
 * What every adapter of the publishers' marks promises.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { newRunId, type RunId, SHARD_COUNT } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { CLOCK_MARGIN_MS, OLDEST_DEBT_MS, type PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import { type RunHead, WAKE } from "../../runtime/storage/journal.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { Boot, MakeBed, StorageBed } from "./bed.ts";

const ALL = ShardSet.all;
const WORKFLOW = "11111111-1111-4111-8111-111111111111";
const WAITING: RunHead = { status: "waiting", wake: WAKE.timer };

/** The suite. */
export function eventCheckpointsConformance(makeBed: MakeBed): void {
  describe("event checkpoints", () => {
    let bed: StorageBed;
    beforeEach(async function () {
      this.timeout(60_000);
      bed = await makeBed();
    });
    afterEach(async () => {
      await bed.closeBoots();
      await bed.close();
    });

    async function write(boot: Boot, shard: number, head: RunHead, runId?: RunId): Promise<RunId> {
      const id = runId ?? newRunId(shard, systemClock().now(), systemRandom());
      const rest = runId === undefined ? { create: { workflowId: WORKFLOW, userId: "", labels: {} } } : {};
      await boot.journal.append({ runId: id, firstSeq: 1, entryCount: 0, entries: new Uint8Array(), head, ...rest });
      return id;
    }

    it("has a boot find what earlier ones left of its shards, until it is settled", async () => {
      const { checkpoints } = bed;
      const first = await bed.boot();
      const now = systemClock().now();
      const mark = await checkpoints.begin(first.bootId, now);
      assert.equal((await checkpoints.debtOf(first.bootId, ShardSet.all)).shards.size, 0, "nobody was there before");
      const second = await bed.boot();
      await checkpoints.begin(second.bootId, now + 5_000);
      const debt = await checkpoints.debtOf(second.bootId, ShardSet.all);
      assert.equal(debt.shards.size, SHARD_COUNT);
      assert.equal(debt.since.committedAt, mark.committedAt);
      await checkpoints.settle(second.bootId, second.held.epochsOf(ShardSet.between(0, 9)));
      assert.deepEqual([...(await checkpoints.debtOf(second.bootId, ShardSet.between(8, 11))).shards], [10, 11]);
      const third = await bed.boot();
      await checkpoints.begin(third.bootId, now + 6_000);
      const again = await checkpoints.debtOf(third.bootId, ShardSet.all);
      assert.deepEqual([again.shards.size, again.since], [SHARD_COUNT, debt.since], "what was not settled by one is found by the next");
      await checkpoints.settle(third.bootId, third.held.epochsOf(ShardSet.all));
      assert.equal((await checkpoints.debtOf(third.bootId, ShardSet.all)).shards.size, 0);
      const fourth = await bed.boot();
      await checkpoints.begin(fourth.bootId, now + 7_000);
      const late = await checkpoints.debtOf(fourth.bootId, ShardSet.all);
      assert.equal(late.since.entriesFromMs, now + 6_000, "marks that nobody needs are forgotten");
      await checkpoints.settle(fourth.bootId, fourth.held.epochsOf(ShardSet.all));
      await checkpoints.end(fourth.bootId);
      const fifth = await bed.boot();
      assert.equal((await checkpoints.debtOf(fifth.bootId, ShardSet.all)).shards.size, 0, "who published everything leaves no debt");
      await checkpoints.begin(fifth.bootId, now + 8_000);
      await checkpoints.end(fifth.bootId);
    });

    it("moves a mark on, and looks no further back than streams do", async () => {
      const { checkpoints } = bed;
      const boot = await bed.boot();
      await checkpoints.begin(boot.bootId, 1);
      const recent = systemClock().now() - 3_600_000;
      const mark: PublishMark = { committedAt: new Date(recent).toISOString(), entriesFromMs: recent };
      const nowAfter = await checkpoints.advance(boot.bootId, mark);
      assert.ok(Date.parse(nowAfter) > recent);
      const next = await bed.boot();
      const { since } = await checkpoints.debtOf(next.bootId, ShardSet.all);
      assert.deepEqual([Date.parse(since.committedAt), since.entriesFromMs], [recent, recent]);
      await checkpoints.settle(next.bootId, next.held.epochsOf(ShardSet.all));
      await checkpoints.advance(boot.bootId, mark);
      const ancient: PublishMark = { committedAt: "2001-01-01T00:00:00.000Z", entriesFromMs: 1 };
      await checkpoints.begin(next.bootId, 1);
      await checkpoints.advance(next.bootId, ancient);
      const last = await bed.boot();
      const debt = await checkpoints.debtOf(last.bootId, ShardSet.all);
      assert.equal(debt.shards.size, SHARD_COUNT);
      const oldestMs = systemClock().now() - OLDEST_DEBT_MS - 60_000;
      assert.ok(Date.parse(debt.since.committedAt) > oldestMs && debt.since.entriesFromMs > oldestMs);
    });

    it("says what was published of shards that are handed over", async () => {
      const { checkpoints, ownership } = bed;
      const [giver, taker] = [await bed.boot("a"), await bed.boot("b")];
      const mark = await checkpoints.begin(giver.bootId, systemClock().now());
      await checkpoints.begin(taker.bootId, systemClock().now());
      const [published, owing] = [ShardSet.between(0, 4), ShardSet.between(5, 9)];
      await checkpoints.handOver(giver.bootId, giver.held.epochsOf(published), undefined);
      await checkpoints.handOver(giver.bootId, giver.held.epochsOf(owing), mark);
      await ownership.release(giver.bootId, giver.held.epochsOf(ShardSet.between(0, 9)));
      taker.held.add((await ownership.acquire(taker.bootId, ShardSet.between(0, 9))).shards);
      const debt = await checkpoints.debtOf(taker.bootId, ShardSet.between(0, 9));
      assert.deepEqual([...debt.shards], [...owing]);
      assert.equal(debt.since.committedAt, mark.committedAt);
      await checkpoints.settle(taker.bootId, taker.held.epochsOf(debt.shards));
      assert.equal((await checkpoints.debtOf(taker.bootId, ShardSet.between(0, 9))).shards.size, 0);
    });

    it("keeps the mark of shards that are handed over with a debt until that is settled, whatever others settle and however their owner ends", async () => {
      const { checkpoints, ownership } = bed;
      const [giver, taker] = [await bed.boot("a"), await bed.boot("b")];
      const mark = await checkpoints.begin(giver.bootId, systemClock().now());
      await checkpoints.begin(taker.bootId, systemClock().now() + 1_000);
      await checkpoints.handOver(giver.bootId, giver.held.epochsOf(ShardSet.between(5, 9)), mark);
      await checkpoints.settle(taker.bootId, new Map());
      await checkpoints.end(giver.bootId);
      await ownership.release(giver.bootId, giver.held.epochsOf(ShardSet.between(0, 9)));
      await ownership.acquire(taker.bootId, ShardSet.between(0, 9));
      const debt = await checkpoints.debtOf(taker.bootId, ShardSet.between(0, 9));
      assert.deepEqual([[...debt.shards], debt.since.committedAt], [[5, 6, 7, 8, 9], mark.committedAt]);
    });

    it("takes nothing for published by what is said of an earlier epoch, however late it comes", async () => {
      const { checkpoints, ownership } = bed;
      await checkpoints.begin((await bed.boot("a")).bootId, systemClock().now());
      const [boot, heir] = [await bed.boot("a"), await bed.boot("b")];
      for (const { bootId } of [boot, heir]) await checkpoints.begin(bootId, systemClock().now());
      const owing = async ({ bootId }: Boot) => [...(await checkpoints.debtOf(bootId, ShardSet.of([5]))).shards];
      const earlier = boot.held.epochsOf([5]);
      await ownership.release(boot.bootId, earlier);
      const { shards: later } = await ownership.acquire(boot.bootId, [5]);
      await checkpoints.settle(boot.bootId, earlier);
      assert.deepEqual(await owing(boot), [5]);
      await checkpoints.settle(boot.bootId, later);
      assert.deepEqual(await owing(boot), []);
      await checkpoints.handOver(boot.bootId, earlier, undefined);
      await ownership.fence(boot.bootId, { even: "alive" });
      await ownership.acquire(heir.bootId, [5]);
      assert.deepEqual(await owing(heir), [5], "what was committed under the later epoch");
    });

    it("keeps what an owner leaves in debt although what that one has settled before arrives only then", async () => {
      const { checkpoints, ownership } = bed;
      await checkpoints.begin((await bed.boot("a")).bootId, systemClock().now());
      const [giver, taker] = [await bed.boot("a"), await bed.boot("b")];
      const mark = await checkpoints.begin(giver.bootId, systemClock().now());
      await checkpoints.begin(taker.bootId, systemClock().now());
      const held = giver.held.epochsOf(ShardSet.all);
      await checkpoints.settle(giver.bootId, held);
      await checkpoints.handOver(giver.bootId, giver.held.epochsOf([5]), mark);
      await checkpoints.settle(giver.bootId, held);
      await ownership.release(giver.bootId, giver.held.epochsOf([5]));
      const { shards } = await ownership.acquire(taker.bootId, [5]);
      const debt = await checkpoints.debtOf(taker.bootId, ShardSet.of([5]));
      assert.deepEqual([[...debt.shards], debt.since.committedAt], [[5], mark.committedAt]);
      await checkpoints.settle(taker.bootId, shards);
      assert.equal((await checkpoints.debtOf(taker.bootId, ShardSet.of([5]))).shards.size, 0);
    });

    it("says of which shards it can't say what they owe, because they are another boot's by now", async () => {
      const { checkpoints, ownership } = bed;
      const [first, second] = [await bed.boot("a"), await bed.boot("b")];
      for (const { bootId } of [first, second]) await checkpoints.begin(bootId, systemClock().now());
      await ownership.release(first.bootId, first.held.epochsOf([5, 6]));
      await ownership.acquire(second.bootId, [5]);
      const asked = ShardSet.between(4, 6);
      assert.deepEqual([...(await checkpoints.debtOf(first.bootId, asked)).foreign], [5, 6]);
      assert.deepEqual([...(await checkpoints.debtOf(second.bootId, asked)).foreign], [4, 6]);
    });

    it("lists runs that changed since a mark, in pages, of some shards", async () => {
      const { checkpoints } = bed;
      const boot = await bed.boot();
      const old = await write(boot, 1, WAITING);
      const ready = await write(boot, 2, { status: "running", wake: WAKE.ready });
      // A mark of the future by which the margin is exactly over, and a store whose clock has gone on since.
      const beginMs = Date.parse(await checkpoints.now()) + 2;
      const since: PublishMark = { committedAt: new Date(beginMs + CLOCK_MARGIN_MS).toISOString(), entriesFromMs: 0 };
      await waitUntil("the store's clock to go on", async () => Date.parse(await checkpoints.now()) > beginMs);
      const fresh = [await write(boot, 3, WAITING), await write(boot, 4, WAITING), await write(boot, 4_000, WAITING)].sort();
      const list = (isWithReady: boolean, shards = ALL, after?: RunId, limit = 10) =>
        checkpoints.listChanged({ shards, since, isWithReady }, limit, after);
      assert.deepEqual(await list(false), fresh);
      assert.deepEqual(await list(true), [ready, ...fresh].sort());
      assert.deepEqual(await list(false, ShardSet.between(0, 100)), fresh.slice(0, 2));
      const page = await list(false, ALL, undefined, 2);
      assert.deepEqual([page, await list(false, ALL, page.at(-1))], [fresh.slice(0, 2), fresh.slice(2)]);
      await write(boot, 1, { status: "waiting", wake: WAKE.signal }, old);
      assert.ok((await list(false)).includes(old), "a change of the head counts");
    });
  });
}
