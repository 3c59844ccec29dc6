/** What the network may do to the task ledger while it stores: each attempt has one row, and its last record counts. */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { openPgTaskLedger, type PgTaskLedger } from "../../runtime/storage/pg-task-ledger.ts";
import type { AttemptRecord } from "../../runtime/storage/task-ledger.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";

describe("the task ledger, while connections break", function () {
  this.timeout(60_000);
  let url: string;
  let proxy: FaultyProxy;
  let ledger: PgTaskLedger;

  beforeEach(async () => {
    url = await freshDatabase();
    proxy = await FaultyProxy.start(url);
    ledger = await openPgTaskLedger({ url: proxy.url, bootId: newBootId(systemRandom()), clock: systemClock(), events: new EventHub() });
  });
  afterEach(async () => {
    await ledger.close();
    await proxy.stop();
  });

  const runId = runIdOn();
  const record = (attempt: number, more: Partial<AttemptRecord> = {}): void => {
    ledger.record({ runId, frame: 1, attempt, path: "/do/0/pay", handler: "pay", status: "completed", createdAtMs: 1_700_000_000_001, ...more });
  };
  const stored = () => execute(url, "SELECT attempt, status FROM task_executions ORDER BY attempt, status");

  for (const moment of ["beforeRequest", "beforeAnswer", "afterRequest"] as const) {
    it(`stores each attempt once if the connection breaks: ${moment}`, async () => {
      record(1, { status: "scheduled" });
      await ledger.flush();
      record(1);
      record(2);
      record(3, { status: "scheduled" });
      proxy.breakNext(moment);
      await ledger.flush();
      assert.equal(proxy.breaks, 1);
      record(4);
      const expected = [1, 2, 3, 4].map((attempt) => ({ attempt, status: attempt === 3 ? "scheduled" : "completed" }));
      await waitUntil("the records to be stored", async () => {
        await ledger.flush();
        return (await stored()).length >= expected.length;
      });
      assert.deepEqual(await stored(), expected);
    });
  }
});
