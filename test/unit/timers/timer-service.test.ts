/** Durable timers on a virtual clock: fired when due, however they came to the node, and never forgotten. */
import assert from "node:assert/strict";
import { TIMER_HORIZON_MS, TimerService } from "../../../actors/timers/timer-service.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { newRunId, type RunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { RunTimer } from "../../../runtime/storage/journal.ts";

const clock = virtualClock();
const random = seededRandom(1);

function serviceOf(rows: RunTimer[], take: (runId: RunId, timer: number) => boolean = () => true) {
  const fired: string[] = [];
  const failures: unknown[] = [];
  const reads: number[] = [];
  let broken = false;
  const service = new TimerService({
    clock,
    shards: { first: 0, last: 4095 },
    journal: {
      async listTimers(_shards, dueBeforeMs, limit, after) {
        reads.push(limit);
        if (broken) throw new Error("store is away");
        const first = after === undefined ? 0 : rows.indexOf(after) + 1;
        return rows.slice(first, first + limit).filter((row) => row.dueAtMs < dueBeforeMs);
      },
    },
    fire(runId, timer) {
      if (!take(runId, timer)) return false;
      fired.push(`${runId}:${timer}`);
      return true;
    },
    onReadFailed: (error) => failures.push(error),
  });
  return { service, fired, failures, reads, breakStore: (now: boolean) => (broken = now) };
}

const row = (delayMs: number, timer = 1): RunTimer => ({ runId: newRunId(1, clock.now(), random), timer, dueAtMs: clock.now() + delayMs });
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
    clock.advance(20_100);
    assert.equal(fired.length, 25_000);
    assert.equal(reads.length, 3);
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
});
