/** Durable timers on a virtual clock: fired when due, however they came to the node, and never forgotten. */
import assert from "node:assert/strict";
import { ChangingShards } from "../../../actors/run/served-shards.ts";
import { TIMER_HORIZON_MS, TimerService } from "../../../actors/timers/timer-service.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { newRunId, type RunId, shardOf } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { RunTimer } from "../../../runtime/storage/journal.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";

const clock = virtualClock();
const random = seededRandom(1);

function serviceOf(rows: RunTimer[], take: (runId: RunId, timer: number) => boolean = () => true) {
  const fired: string[] = [];
  const failures: unknown[] = [];
  const reads: number[] = [];
  let broken = false;
  const shards = new ChangingShards();
  shards.add(ShardSet.all);
  const service = new TimerService({
    clock,
    shards,
    journal: {
      async listTimers(asked, dueBeforeMs, limit, after) {
        reads.push(limit);
        if (broken) throw new Error("store is away");
        const first = after === undefined ? 0 : rows.indexOf(after) + 1;
        return rows.slice(first, first + limit).filter(({ runId, dueAtMs }) => dueAtMs < dueBeforeMs && asked.has(shardOf(runId)));
      },
    },
    fire(runId, timer) {
      if (!take(runId, timer)) return false;
      fired.push(`${runId}:${timer}`);
      return true;
    },
    onReadFailed: (error) => failures.push(error),
  });
  return { service, shards, fired, failures, reads, breakStore: (now: boolean) => (broken = now) };
}

const row = (delayMs: number, timer = 1, shard = 1): RunTimer => ({
  runId: newRunId(shard, clock.now(), random),
  timer,
  dueAtMs: clock.now() + delayMs,
});
/** Lets the promises of a read settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("durable timers", () => {
  it("fires timers of the table and timers that were set, each when it is due", async () => {
    const stored = row(1_000);
    const { service, fired } = serviceOf([stored]);
    await service.start();
    const fresh = row(500);
    service.set(fresh.runId, 1, fresh.dueAtMs);
    clock.advance(499);
    assert.deepEqual(fired, []);
    clock.advance(1);
    assert.deepEqual(fired, [`${fresh.runId}:1`]);
    clock.advance(500);
    assert.equal(fired.length, 2);
    service.stop();
  });

  it("does not fire one that was cleared", async () => {
    const { service, fired } = serviceOf([]);
    await service.start();
    const timer = row(10);
    service.set(timer.runId, 1, timer.dueAtMs);
    service.clear(timer.runId, 1);
    clock.advance(TIMER_HORIZON_MS);
    assert.deepEqual(fired, []);
    service.stop();
  });

  it("keeps only what is due soon in memory, and finds the rest in the table in time", async () => {
    const rows: RunTimer[] = [];
    const { service, fired } = serviceOf(rows);
    await service.start();
    const far = row(10 * TIMER_HORIZON_MS);
    rows.push(far);
    service.set(far.runId, 1, far.dueAtMs);
    assert.equal(service.size, 0);
    for (let step = 0; step < 40 && fired.length === 0; step += 1) {
      clock.advance(TIMER_HORIZON_MS / 4);
      await settled();
    }
    assert.deepEqual(fired, [`${far.runId}:1`]);
    assert.ok(clock.now() >= far.dueAtMs && clock.now() < far.dueAtMs + TIMER_HORIZON_MS / 2);
    service.stop();
  });

  it("offers a timer again that its run could not take", async () => {
    let refusals = 3;
    const { service, fired } = serviceOf([], () => refusals-- <= 0);
    await service.start();
    const timer = row(10);
    service.set(timer.runId, 1, timer.dueAtMs);
    clock.advance(10);
    assert.deepEqual(fired, []);
    clock.advance(1_000);
    assert.equal(fired.length, 1);
    service.stop();
  });

  it("reads very many timers page by page, each page once, and fires them all", async () => {
    const rows = Array.from({ length: 25_000 }, () => row(20_000));
    const { service, fired, reads } = serviceOf(rows);
    await service.start();
    assert.deepEqual([service.size, reads.length], [25_000, 3]);
    for (let seen = 0; seen < fired.length || seen === 0; ) {
      clock.advance(seen === 0 ? 20_000 : 1);
      for (const key of fired.slice(seen)) service.clear(key.slice(0, key.indexOf(":")) as RunId, 1);
      seen = fired.length;
      clock.advance(1);
    }
    assert.equal(new Set(fired).size, 25_000);
    assert.equal(reads.length, 3);
    service.stop();
  });

  it("keeps a bounded number of timers under way, the soonest first, and goes on as their ends are committed", async () => {
    const { service, fired } = serviceOf([]);
    await service.start();
    const timers = Array.from({ length: LIMITS.timersUnderWay + 3 }, (_, place) => row(1 + place));
    for (const { runId, timer, dueAtMs } of timers.toReversed()) service.set(runId, timer, dueAtMs);
    clock.advance(4_000);
    const inOrder = timers.map(({ runId }) => `${runId}:1`);
    assert.deepEqual(fired, inOrder.slice(0, LIMITS.timersUnderWay));
    service.clear(timers[7]?.runId ?? assert.fail("there is one"), 1);
    clock.advance(1);
    assert.deepEqual(fired, inOrder.slice(0, LIMITS.timersUnderWay + 1));
    // The others stay silent: they make room in time.
    clock.advance(5_000);
    assert.deepEqual(fired, inOrder);
    service.stop();
  });

  it("does not fire a timer again while it is under way, but does when its run never said anything", async () => {
    const { service, fired, reads } = serviceOf([row(TIMER_HORIZON_MS / 2 - 1_000)]);
    await service.start();
    for (const times of [1, 2]) {
      clock.advance(TIMER_HORIZON_MS / 2);
      await settled();
      clock.advance(1);
      assert.deepEqual([reads.length, fired.length], [times + 1, times]);
    }
    service.stop();
  });

  it("is not held up by timers that their runs can't take", async () => {
    const stuck = Array.from({ length: 12_000 }, () => row(-1_000));
    const good = row(5_000);
    const { service, fired } = serviceOf([...stuck, good], (runId) => runId === good.runId);
    await service.start();
    clock.advance(6_000);
    assert.deepEqual(fired, [`${good.runId}:1`]);
    service.stop();
  });

  it("reads the table again after it could not be read", async () => {
    const { service, fired, failures, breakStore } = serviceOf([row(1_000)]);
    breakStore(true);
    await service.start();
    assert.equal(failures.length, 1);
    breakStore(false);
    clock.advance(250);
    await settled();
    clock.advance(1_000);
    assert.equal(fired.length, 1);
    service.stop();
  });

  it("forgets the timers of shards that left, and has those of shards that came without waiting for its next look", async () => {
    const [staying, leaving, coming] = [row(3_000, 1, 1), row(3_000, 1, 2), row(4_000, 1, 3)];
    const { service, shards, fired } = serviceOf([staying, leaving, coming]);
    shards.delete([3]);
    await service.start();
    assert.equal(service.size, 2);
    shards.delete([2]);
    service.close(ShardSet.of([2]));
    service.set(leaving.runId, 2, clock.now() + 1_000);
    assert.equal(service.size, 1);
    shards.add([3]);
    await service.open(ShardSet.of([3]));
    clock.advance(5_000);
    assert.deepEqual(fired, [`${staying.runId}:1`, `${coming.runId}:1`]);
    service.stop();
  });

  it("reads the timers of shards that came again and again until the store answers", async () => {
    const coming = row(2_000, 1, 3);
    const { service, fired, breakStore } = serviceOf([coming]);
    await service.start();
    service.close(ShardSet.of([3]));
    breakStore(true);
    const opened = service.open(ShardSet.of([3]));
    await settled();
    breakStore(false);
    clock.advance(1_000);
    await opened;
    clock.advance(2_000);
    assert.deepEqual(fired, [`${coming.runId}:1`]);
    service.stop();
  });
});
