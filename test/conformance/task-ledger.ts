/** What every task ledger must do. */
import assert from "node:assert/strict";
import type { AttemptRecord } from "../../runtime/storage/task-ledger.ts";
import { runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { MakeBed, StorageBed } from "./bed.ts";

/** Declares the suite. */
export function taskLedgerConformance(makeBed: MakeBed): void {
  describe("task ledger", () => {
    let bed: StorageBed;

    beforeEach(async function () {
      this.timeout(30_000);
      bed = await makeBed();
    });
    afterEach(() => bed.close());

    const runId = runIdOn();
    const attempt = (number: number, more: Partial<AttemptRecord> = {}): AttemptRecord => {
      return { runId, frame: 1, attempt: number, path: "/do/0/pay", handler: "pay", status: "scheduled", createdAtMs: 1_700_000_000_001, ...more };
    };
    const ended = { status: "failed", endedAtMs: 1_700_000_000_500, errorMessage: "no money" } as const;

    it("stores what was noted at a flush", async () => {
      bed.ledger.record(attempt(1));
      bed.ledger.record(attempt(2));
      await bed.ledger.flush();
      assert.deepEqual(await bed.attempts(), [attempt(1), attempt(2)]);
    });

    it("replaces an earlier record of an attempt, in the same flush or a later one", async () => {
      bed.ledger.record(attempt(1));
      bed.ledger.record(attempt(2));
      bed.ledger.record(attempt(2, ended));
      await bed.ledger.flush();
      bed.ledger.record(attempt(1, ended));
      await bed.ledger.flush();
      assert.deepEqual(await bed.attempts(), [attempt(1, ended), attempt(2, ended)]);
    });

    it("takes an attempt up again that a node left open", async () => {
      for (const more of [{}, {}, ended]) {
        bed.ledger.record(attempt(1, more));
        await bed.ledger.flush();
      }
      assert.deepEqual(await bed.attempts(), [attempt(1, ended)]);
    });

    it("stores an attempt whose error holds what a column can't", async () => {
      bed.ledger.record(attempt(1, { ...ended, errorMessage: "zero: \0" }));
      await bed.ledger.flush();
      assert.match((await bed.attempts())[0]?.errorMessage ?? "", /^zero: /);
    });

    it("stores more than one bulk at once", async () => {
      for (let number = 1; number <= 2_500; number++) bed.ledger.record(attempt(number));
      await bed.ledger.flush();
      assert.equal((await bed.attempts()).length, 2_500);
    });

    it("stores by itself, soon", async () => {
      bed.ledger.record(attempt(1));
      await waitUntil("the record to be stored", async () => (await bed.attempts()).length === 1);
    });
  });
}
