/** What every retention must do. */
import assert from "node:assert/strict";
import type { RunId } from "../../runtime/ids.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { createWrite, entryWrite, headWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import type { MakeBed, StorageBed } from "./bed.ts";

const CREATED_MS = Date.UTC(2026, 0, 1);
const OLD_MS = CREATED_MS + 1_000;
const CUT_MS = CREATED_MS + 2_000;
const LATE_MS = CREATED_MS + 3_000;

/** Declares the suite. */
export function retentionConformance(makeBed: MakeBed): void {
  describe("retention", () => {
    let bed: StorageBed;
    let journal: Journal;

    beforeEach(async function () {
      this.timeout(30_000);
      bed = await makeBed();
      ({ journal } = await bed.boot());
    });
    afterEach(() => bed.close());

    /** A run with something in every table; ended if a time is given. */
    const makeRun = async (endedAtMs?: number, createdMs = CREATED_MS): Promise<RunId> => {
      const runId = runIdOn(0, createdMs);
      const payloads = [10_000, 300_000].map((size, place) => ({ seq: 1, place, bytes: new Uint8Array(size).fill(65) }));
      await journal.append({ ...createWrite(runId, { key: `key of ${runId}` }), payloads });
      const timersSet = endedAtMs === undefined ? [{ runId, timer: 1, dueAtMs: LATE_MS }] : [];
      const head = endedAtMs === undefined ? RUNNING : ({ status: "completed", wake: 0, endedAtMs } as const);
      await journal.append(entryWrite(runId, 2, { head, timersSet, snapshot: Buffer.from("state") }));
      bed.ledger.record({ runId, frame: 1, attempt: 1, path: "/do/0/pay", handler: "pay", status: "completed", createdAtMs: createdMs });
      await bed.ledger.flush();
      return runId;
    };

    /** Whether everything of a run is there, nothing, or something in between. */
    const remains = async (runId: RunId): Promise<"all" | "nothing" | readonly boolean[]> => {
      const parts = [
        (await journal.find(runId)) !== undefined,
        (await journal.read(runId, 1, 10)).length > 0,
        (await journal.readSnapshot(runId, 99)) !== undefined,
        ...(await Promise.all(
          [0, 1].map((place) =>
            journal.readPayload(runId, 1, place).then(
              () => true,
              () => false,
            ),
          ),
        )),
        (await bed.attempts()).some((attempt) => attempt.runId === runId),
        [...bed.objects.objects.keys()].some((name) => name.startsWith(runId)),
      ];
      return parts.every(Boolean) ? "all" : parts.some(Boolean) ? parts : "nothing";
    };

    it("removes everything of runs that ended long ago, and nothing of others", async () => {
      const [old, recent, running, other] = [await makeRun(OLD_MS), await makeRun(LATE_MS), await makeRun(), await makeRun(OLD_MS)];
      assert.deepEqual(await bed.retention.removeRuns(CUT_MS, 100), { removed: 2 });
      assert.deepEqual([await remains(old), await remains(other)], ["nothing", "nothing"]);
      assert.deepEqual([await remains(recent), await remains(running)], ["all", "all"]);
      assert.equal((await journal.listTimers(ShardSet.all, LATE_MS + 1, 10)).length, 1);
      assert.deepEqual(await bed.retention.removeRuns(CUT_MS, 100), { removed: 0 });
    });

    it("keeps a run that is quarantined, and one that ended at the very time", async () => {
      const [quarantined, borderline] = [await makeRun(), await makeRun(CUT_MS)];
      await journal.append(headWrite(quarantined, { status: "quarantined", wake: 0 }));
      assert.deepEqual(await bed.retention.removeRuns(CUT_MS, 100), { removed: 0 });
      assert.deepEqual([await remains(quarantined), await remains(borderline)], ["all", "all"]);
    });

    it("goes through the runs page by page, past those that stay", async () => {
      const runIds: RunId[] = [];
      for (let index = 0; index < 5; index++) runIds.push(await makeRun(index % 2 === 0 ? OLD_MS : undefined, CREATED_MS + index));
      const first = await bed.retention.removeRuns(CUT_MS, 2);
      assert.deepEqual(first, { removed: 1, next: runIds[1] });
      const second = await bed.retention.removeRuns(CUT_MS, 2, first.next);
      assert.deepEqual(second, { removed: 1, next: runIds[3] });
      assert.deepEqual(await bed.retention.removeRuns(CUT_MS, 2, second.next), { removed: 1 });
      assert.deepEqual(await Promise.all(runIds.map(remains)), ["nothing", "all", "nothing", "all", "nothing"]);
    });

    it("frees the keys of runs that are gone, page by page", async () => {
      const [old, recent] = [await makeRun(OLD_MS), await makeRun(LATE_MS)];
      await bed.retention.removeRuns(CUT_MS, 100);
      await assert.rejects(journal.append(createWrite(runIdOn(), { key: `key of ${old}` })), { code: "IDEMPOTENCY_KEY_REUSED" });
      let removed = 0;
      for (let after: string | undefined, page = 0; page === 0 || after !== undefined; page++) {
        const result = await bed.retention.removeKeys(1, after);
        removed += result.removed;
        after = result.next;
      }
      assert.equal(removed, 1);
      assert.equal(await journal.findByKey(`key of ${recent}`), recent);
      await journal.append(createWrite(runIdOn(), { key: `key of ${old}` }));
    });
  });
}
