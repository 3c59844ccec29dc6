/** What every journal must list: runs, timers, and what the auditor finds. */
import assert from "node:assert/strict";
import type { RunId } from "../../runtime/ids.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { createWrite, entryWrite, headWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Declares the cases. `current`: the journal of the case that runs. */
export function listCases(current: () => Journal): void {
  it("lists runs, newest first, by workflow, status and time, page by page", async () => {
    const journal = current();
    const [workflowId, other] = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
    const times = [1_000, 2_000, 3_000, 4_000];
    const runIds = times.map((timeMs) => runIdOn(9, timeMs));
    for (const [index, runId] of runIds.entries()) {
      const head = index % 2 === 0 ? RUNNING : ({ status: "failed", wake: 0, endedAtMs: 1 } as const);
      await journal.append(createWrite(runId, { workflowId: index === 3 ? other : workflowId, head }));
    }
    const indexes = async (...args: Parameters<Journal["list"]>) => (await journal.list(...args)).map((run) => runIds.indexOf(run.runId));
    const both = [workflowId, other];
    assert.deepEqual(await indexes({ workflowIds: both }, 10), [3, 2, 1, 0]);
    assert.deepEqual(await indexes({ workflowIds: [workflowId] }, 10), [2, 1, 0]);
    assert.deepEqual(await indexes({ workflowIds: both, statuses: ["failed", "cancelled"] }, 10), [3, 1]);
    assert.deepEqual(await indexes({ workflowIds: both, createdAfterMs: 2_000, createdBeforeMs: 4_000 }, 10), [2, 1]);
    assert.deepEqual(await indexes({ workflowIds: both }, 2, runIds[3]), [2, 1]);
    assert.deepEqual(await indexes({ workflowIds: [] }, 10), []);
  });

  it("lists the runs that have work, by shard, page by page", async () => {
    const journal = current();
    const shards = ShardSet.between(100, 200);
    const runIds = [99, 100, 150, 200, 201].map((shard, index) => runIdOn(shard, 10_000 + index));
    const waiting = runIdOn(150, 20_000);
    for (const runId of runIds) await journal.append(createWrite(runId));
    await journal.append(createWrite(waiting, { head: { status: "waiting", wake: 4 } }));
    assert.deepEqual(await journal.listReady(shards, 10), runIds.slice(1, 4));
    assert.deepEqual(await journal.listReady(ShardSet.of([201, 99, 150]), 10), [runIds[0], runIds[2], runIds[4]]);
    assert.deepEqual(await journal.listReady(ShardSet.none, 10), []);
    assert.deepEqual(await journal.listReady(shards, 1, runIds[1]), [runIds[2]]);
    await journal.append(entryWrite(runIds[2] as RunId, 2, { head: { status: "completed", wake: 0, endedAtMs: 1 } }));
    assert.deepEqual(await journal.listReady(shards, 10), [runIds[1], runIds[3]]);
  });

  it("keeps timers until they are cleared, soonest first, by shard", async () => {
    const journal = current();
    const runId = runIdOn(300);
    const shards = ShardSet.between(300, 300);
    const [soon, late, never] = [3, 2, 1].map((timer) => ({ runId, timer, dueAtMs: 1_000_000_000_123 - timer * 1_000 }));
    assert.ok(soon && late && never);
    await journal.append({ ...createWrite(runId), timersSet: [late, soon] });
    assert.deepEqual(await journal.listTimers(shards, late.dueAtMs + 1, 10), [soon, late]);
    assert.deepEqual(await journal.listTimers(shards, late.dueAtMs, 10), [soon]);
    assert.deepEqual(await journal.listTimers(shards, late.dueAtMs + 1, 1), [soon]);
    assert.deepEqual(await journal.listTimers(ShardSet.between(301, 4095), late.dueAtMs + 1, 10), []);
    assert.deepEqual(await journal.listTimers(ShardSet.of([299, 301]), late.dueAtMs + 1, 10), []);
    assert.deepEqual(await journal.listTimers(ShardSet.of([7, 300]), late.dueAtMs + 1, 10), [soon, late]);
    const pages = [await journal.listTimers(shards, late.dueAtMs + 1, 1), await journal.listTimers(shards, late.dueAtMs + 1, 1, soon)];
    assert.deepEqual(pages, [[soon], [late]]);
    assert.deepEqual(await journal.listTimers(shards, late.dueAtMs + 1, 1, late), []);
    await Promise.all([
      journal.append(entryWrite(runId, 2, { timersCleared: [soon], timersSet: [never] })),
      journal.append(entryWrite(runId, 3, { timersCleared: [never] })),
    ]);
    assert.deepEqual(await journal.listTimers(shards, Number.MAX_SAFE_INTEGER / 1_000, 10), [late]);
  });

  it("lists timers that are due at once by run and number, without those of quarantined runs", async () => {
    const journal = current();
    const shards = ShardSet.between(310, 310);
    const runIds = [runIdOn(310, 1_000), runIdOn(310, 2_000), runIdOn(310, 3_000)] as const;
    const timersOf = (runId: RunId) => [1, 2].map((timer) => ({ runId, timer, dueAtMs: 5_000 }));
    for (const runId of runIds) await journal.append({ ...createWrite(runId), timersSet: timersOf(runId) });
    await journal.append(headWrite(runIds[1], { status: "quarantined", wake: 0 }));
    const expected = [...timersOf(runIds[0]), ...timersOf(runIds[2])];
    assert.deepEqual(await journal.listTimers(shards, 6_000, 10), expected);
    for (const [index, timer] of expected.entries())
      assert.deepEqual(await journal.listTimers(shards, 6_000, 1, timer), expected.slice(index + 1, index + 2));
    await journal.append(headWrite(runIds[1], RUNNING));
    assert.equal((await journal.listTimers(shards, 6_000, 10)).length, 6);
  });

  it("finds runs that nothing will wake", async () => {
    const journal = current();
    const shards = ShardSet.between(400, 400);
    const nowMs = Date.now();
    const [ready, asleep, lostTimer, overdue, sound, signal, ended, quarantined] = Array.from({ length: 8 }, (_, index) =>
      runIdOn(400, nowMs + index),
    );
    assert.ok(ready && asleep && lostTimer && overdue && sound && signal && ended && quarantined);
    const waiting = { status: "waiting", wake: 2 } as const;
    await Promise.all([
      journal.append(createWrite(ready)),
      journal.append(createWrite(asleep, { head: { status: "waiting", wake: 0 } })),
      journal.append(createWrite(lostTimer, { head: waiting })),
      journal.append({ ...createWrite(overdue, { head: waiting }), timersSet: [{ runId: overdue, timer: 1, dueAtMs: nowMs - 60_000 }] }),
      journal.append({ ...createWrite(sound, { head: waiting }), timersSet: [{ runId: sound, timer: 1, dueAtMs: nowMs + 60_000 }] }),
      journal.append(createWrite(signal, { head: { status: "waiting", wake: 4 } })),
      journal.append(createWrite(ended, { head: { status: "cancelled", wake: 0, endedAtMs: nowMs } })),
      journal.append(createWrite(quarantined, { head: { status: "quarantined", wake: 0 } })),
    ]);
    assert.deepEqual(await journal.audit(shards, 30_000, 10), { withoutWake: [], ready: [] });
    const found = await waitUntil("the runs to be older than the grace", async () => {
      const audit = await journal.audit(shards, 1, 10);
      return audit.ready.length > 0 && audit;
    });
    assert.deepEqual(found, { withoutWake: [asleep, lostTimer, overdue], ready: [ready] });
    assert.deepEqual(await journal.audit(ShardSet.between(401, 401), 1, 10), { withoutWake: [], ready: [] });
    assert.deepEqual(await journal.audit(ShardSet.of([399, 401]), 1, 10), { withoutWake: [], ready: [] });
    assert.deepEqual(await journal.audit(ShardSet.of([4, 400]), 1, 10), found);
  });

  it("looks page by page for runs whose timer is lost, whatever else they wait for", async () => {
    const journal = current();
    const shards = ShardSet.between(500, 500);
    const nowMs = Date.now();
    const runIds = Array.from({ length: 5 }, (_, index) => runIdOn(500, nowMs + index));
    for (const [index, runId] of runIds.entries()) {
      const timersSet = index % 2 === 0 ? [] : [{ runId, timer: 1, dueAtMs: nowMs + 60_000 }];
      await journal.append({ ...createWrite(runId, { head: { status: "waiting", wake: 2 + (index === 4 ? 4 : 0) } }), timersSet });
    }
    const found: RunId[] = [];
    const seek = async (): Promise<readonly RunId[]> => {
      found.length = 0;
      for (let after: RunId | undefined, page = 0; page === 0 || after !== undefined; page++) {
        const audit = await journal.audit(shards, 1, 2, after);
        found.push(...audit.withoutWake);
        after = audit.next;
      }
      return found;
    };
    await waitUntil("the runs to be older than the grace", async () => (await seek()).length >= 3);
    assert.deepEqual(found, [runIds[0], runIds[2], runIds[4]]);
  });
}
