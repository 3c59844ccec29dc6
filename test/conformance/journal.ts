/** What every journal must do. */
import assert from "node:assert/strict";
import type { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Journal, NewRun } from "../../runtime/storage/journal.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { createWrite, entryWrite, headWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import type { MakeBed, StorageBed } from "./bed.ts";
import { listCases } from "./journal-lists.ts";
import { payloadCases } from "./journal-payloads.ts";
import { refusalCases } from "./journal-refusals.ts";
import { tailCases } from "./journal-tails.ts";

/** Declares the suite. */
export function journalConformance(makeBed: MakeBed): void {
  describe("journal", () => {
    let bed: StorageBed;
    let journal: Journal;

    before(async function () {
      this.timeout(30_000);
      bed = await makeBed();
    });
    beforeEach(async () => {
      ({ journal } = await bed.boot());
    });
    afterEach(() => bed.closeBoots());
    after(() => bed.close());

    const historyOf = async (runId: RunId, fromSeq = 1): Promise<string> =>
      (await journal.read(runId, fromSeq, 1_000)).map((row) => Buffer.from(row.entries).toString()).join("");

    it("keeps a run as it was written", async () => {
      const runId = runIdOn(7, Date.UTC(2026, 2, 3));
      await journal.append(createWrite(runId));
      const created = {
        runId,
        createdAtMs: Date.UTC(2026, 2, 3),
        userId: "ada",
        labels: { team: "a" },
        workflowId: createWrite(runId).create?.workflowId,
      };
      assert.deepEqual(await journal.find(runId), { ...created, ...RUNNING });
      const head = { status: "failed", wake: 0, errorMessage: "broke: ü€😀", endedAtMs: Date.UTC(2026, 2, 4) + 7 } as const;
      await journal.append(entryWrite(runId, 2, { head }));
      assert.deepEqual(await journal.find(runId), { ...created, ...head });
      await journal.append(headWrite(runId, RUNNING));
      assert.deepEqual(await journal.find(runId), { ...created, ...RUNNING });
      assert.equal(await journal.find(runIdOn()), undefined);
    });

    it("answers the newest snapshot before an entry, and passes over one that is damaged", async () => {
      const runId = runIdOn();
      const state = (text: string) => ({ snapshot: Buffer.from(text) });
      await journal.append(createWrite(runId));
      assert.equal(await journal.readSnapshot(runId, 99), undefined);
      await journal.append(entryWrite(runId, 2, state("two")));
      await journal.append(entryWrite(runId, 3));
      await journal.append(entryWrite(runId, 4, state("four")));
      const textAt = async (atMostSeq: number) => {
        const found = await journal.readSnapshot(runId, atMostSeq);
        return found && `${found.seq} ${Buffer.from(found.state)}`;
      };
      assert.equal(await textAt(99), "4 four");
      assert.equal(await textAt(4), "4 four");
      assert.equal(await textAt(3), "2 two");
      assert.equal(await textAt(1), undefined);
      await bed.damageSnapshot(runId, 4);
      assert.equal(await textAt(99), "2 two");
    });

    it("keeps the last snapshot of writes that share a commit", async () => {
      const runId = runIdOn();
      await Promise.all([
        journal.append(createWrite(runId)),
        journal.append(entryWrite(runId, 2, { snapshot: Buffer.from("a") })),
        journal.append(entryWrite(runId, 3, { snapshot: Buffer.from("b") })),
      ]);
      const found = await journal.readSnapshot(runId, 99);
      assert.deepEqual([found?.seq, Buffer.from(found?.state ?? []).toString()], [3, "b"]);
    });

    it("joins the writes of a run that share a commit into one row, in the order of the calls", async () => {
      const runId = runIdOn();
      const completed = { status: "completed", wake: 0, endedAtMs: 1 } as const;
      await Promise.all([
        journal.append(createWrite(runId)),
        journal.append(entryWrite(runId, 2)),
        journal.append(entryWrite(runId, 3, { head: completed })),
      ]);
      assert.deepEqual(await journal.read(runId, 1, 10), [{ firstSeq: 1, entries: Buffer.from("1;2;3;") }]);
      assert.equal((await journal.find(runId))?.status, "completed");
    });

    it("settles the writes of a run in order", async () => {
      const runId = runIdOn();
      const settled: number[] = [];
      const writes = [createWrite(runId), ...Array.from({ length: 1_500 }, (_, index) => entryWrite(runId, index + 2))];
      await Promise.all(writes.map((write) => journal.append(write).then(() => settled.push(write.firstSeq))));
      assert.deepEqual(
        settled,
        writes.map((write) => write.firstSeq),
      );
      assert.equal(await historyOf(runId), writes.map((write) => `${write.firstSeq};`).join(""));
    });

    it("reads from the row that holds an entry, as many rows as asked", async () => {
      const runId = runIdOn();
      await Promise.all([journal.append(createWrite(runId)), journal.append(entryWrite(runId, 2))]);
      await journal.append(entryWrite(runId, 3));
      await journal.append(entryWrite(runId, 4));
      const firstsFrom = async (fromSeq: number, limit: number) => (await journal.read(runId, fromSeq, limit)).map((row) => row.firstSeq);
      assert.deepEqual(await firstsFrom(1, 10), [1, 3, 4]);
      assert.deepEqual(await firstsFrom(2, 2), [1, 3]);
      assert.deepEqual(await firstsFrom(4, 10), [4]);
      assert.deepEqual(await firstsFrom(5, 10), []);
      assert.deepEqual(await journal.read(runIdOn(), 1, 10), []);
    });

    for (const how of ["alter", "remove"] as const) {
      it(`notices a row that somebody did ${how}`, async () => {
        const runId = runIdOn();
        for (const write of [createWrite(runId), entryWrite(runId, 2), entryWrite(runId, 3)]) await journal.append(write);
        await bed.damage(runId, 2, how);
        await assert.rejects(journal.read(runId, 1, 10), (error: MaestroError) => error.code === "JOURNAL_CORRUPT" && error.facts.seq === 2);
        assert.equal(await historyOf(runId, 3), "3;");
      });
    }

    it("notices that a history has lost its beginning", async () => {
      const runId = runIdOn();
      for (const write of [createWrite(runId), entryWrite(runId, 2)]) await journal.append(write);
      await bed.damage(runId, 1, "remove");
      await assert.rejects(journal.read(runId, 1, 10), { code: "JOURNAL_CORRUPT" });
    });

    it("gives an idempotency key to one run", async () => {
      const [first, second] = [runIdOn(0), runIdOn(1)];
      await journal.append(createWrite(first, { key: "k1" }));
      assert.equal(await journal.findByKey("k1"), first);
      assert.equal(await journal.findByKey("k2"), undefined);
      await assert.rejects(journal.append(createWrite(second, { key: "k1" })), (error: MaestroError) => {
        return error.code === "IDEMPOTENCY_KEY_REUSED" && error.facts.runId === first;
      });
    });

    it("gives a key that many runs on both lanes ask for at once to one of them", async () => {
      const runIds = Array.from({ length: 40 }, (_, index) => runIdOn(index));
      const results = await Promise.allSettled(runIds.map((runId, index) => journal.append(createWrite(runId, { key: `many-${index % 4}` }))));
      const winners = runIds.filter((_, index) => results[index]?.status === "fulfilled");
      assert.equal(winners.length, 4);
      for (const [index, runId] of runIds.entries()) {
        const owner = await journal.findByKey(`many-${index % 4}`);
        const result = results[index];
        assert.equal((await journal.find(runId)) !== undefined, runId === owner);
        if (result?.status === "rejected") assert.equal((result.reason as MaestroError).facts.runId, owner);
      }
    });

    it("stores nothing of a write that it refuses, nor what the run queued behind it, but the rest of the batch", async () => {
      const [owner, refused, other] = [runIdOn(0), runIdOn(0), runIdOn(0)];
      await journal.append(createWrite(owner, { key: "taken" }));
      const timer = { runId: refused, timer: 1, dueAtMs: 5_000 };
      const results = await Promise.allSettled([
        journal.append({ ...createWrite(refused, { key: "taken" }), timersSet: [timer] }),
        journal.append(createWrite(other, { key: "free" })),
        journal.append(entryWrite(refused, 2)),
        journal.append(entryWrite(other, 2)),
      ]);
      assert.deepEqual(
        results.map((result) => result.status),
        ["rejected", "fulfilled", "rejected", "fulfilled"],
      );
      assert.deepEqual([await journal.find(refused), await historyOf(refused), await historyOf(other)], [undefined, "", "1;2;"]);
      assert.deepEqual(await journal.listTimers(ShardSet.all, 10_000, 10), []);
    });

    it("rejects a write for what is in it, commits the others, and takes the run's next attempt", async () => {
      const runIds = Array.from({ length: 9 }, () => runIdOn(0));
      const poisoned = runIds[4] as RunId;
      await Promise.all(runIds.map((runId) => journal.append(createWrite(runId))));
      const poison = { ...RUNNING, wake: 40_000 };
      const results = await Promise.allSettled(
        runIds.map((runId) => journal.append(entryWrite(runId, 2, runId === poisoned ? { head: poison } : {}))),
      );
      for (const [index, result] of results.entries()) {
        if (index !== 4) assert.equal(result.status, "fulfilled");
        else assert.equal(result.status === "rejected" && (result.reason as MaestroError).code, "JOURNAL_REJECTED");
      }
      assert.equal(await historyOf(poisoned), "1;");
      await journal.append(entryWrite(poisoned, 2));
      assert.equal(await historyOf(poisoned), "1;2;");
    });

    it("rejects a run that the tables can't hold, and takes the others", async () => {
      const runIds = Array.from({ length: 3 }, () => runIdOn(0));
      const writes = runIds.map((runId) => createWrite(runId));
      const [, poisoned] = writes;
      assert.ok(poisoned?.create);
      const results = await Promise.allSettled(
        writes.map((write) => journal.append(write === poisoned ? { ...write, create: { ...poisoned.create, userId: "a\0" } as NewRun } : write)),
      );
      assert.deepEqual(
        results.map((result) => result.status),
        ["fulfilled", "rejected", "fulfilled"],
      );
    });

    it("keeps a run whose error holds what a column can't", async () => {
      const runId = runIdOn();
      await journal.append(createWrite(runId, { head: { status: "failed", wake: 0, errorMessage: "zero: \0", endedAtMs: 1 } }));
      assert.match((await journal.find(runId))?.errorMessage ?? "", /^zero: /);
    });

    it("rejects another history at the same place", async () => {
      const runId = runIdOn();
      await journal.append(createWrite(runId));
      await assert.rejects(journal.append({ ...entryWrite(runId, 1), entries: Buffer.from("other") }), { code: "JOURNAL_REJECTED" });
      assert.equal(await historyOf(runId), "1;");
    });

    it("refuses writes beyond the queue's bound, and commits those that it took", async function () {
      this.timeout(60_000);
      const runId = runIdOn();
      const count = LIMITS.laneQueueWrites;
      const taken = [journal.append(createWrite(runId))];
      for (let seq = 2; seq <= count; seq++) taken.push(journal.append({ runId, firstSeq: seq, entryCount: 1, entries: new Uint8Array([7]) }));
      await assert.rejects(journal.append(entryWrite(runId, count + 1)), (error: MaestroError) => {
        return error.code === "JOURNAL_OVERLOADED" && (error.retryAfterMs ?? 0) > 0;
      });
      await Promise.all(taken);
      assert.equal((await journal.read(runId, count, 10)).length, 1);
    });

    it("flushes what was queued, over as many commits as it takes", async () => {
      const runId = runIdOn();
      const count = 2 * LIMITS.batchWrites + 1;
      let settled = 0;
      for (let seq = 1; seq <= count; seq++) {
        void journal.append(seq === 1 ? createWrite(runId) : entryWrite(runId, seq)).then(() => settled++);
      }
      await journal.flush();
      assert.equal(settled, count);
      await journal.flush();
    });

    it("tells of each commit", async () => {
      const boot = await bed.boot();
      const writes: number[] = [];
      boot.events.on("journal.committed", (event) => writes.push(event.writes));
      await Promise.all([runIdOn(0), runIdOn(0), runIdOn(1)].map((runId) => boot.journal.append(createWrite(runId))));
      assert.deepEqual(writes.sort(), [1, 2]);
    });

    it("is fenced by another boot for good", async () => {
      const stale = await bed.boot();
      const runId = runIdOn();
      const timer = { runId, timer: 1, dueAtMs: 1_000 };
      await stale.journal.append({ ...createWrite(runId), timersSet: [timer] });
      let fenced = 0;
      stale.events.on("journal.fenced", () => fenced++);
      await bed.boot();
      const kept = { snapshot: Buffer.from("state"), payloads: [{ seq: 2, place: 0, bytes: Buffer.from("large") }] };
      const more = { ...kept, timersSet: [{ ...timer, timer: 2 }], timersCleared: [timer] };
      const writes = [entryWrite(runId, 2, more), createWrite(runIdOn(0), { key: "fenced" }), headWrite(runId, { status: "waiting", wake: 4 })];
      for (const result of await Promise.allSettled(writes.map((write) => stale.journal.append(write)))) {
        assert.equal(result.status === "rejected" && (result.reason as MaestroError).code, "JOURNAL_FENCED");
      }
      await assert.rejects(stale.journal.append(entryWrite(runId, 2)), { code: "JOURNAL_FENCED" });
      assert.deepEqual([await historyOf(runId), await journal.findByKey("fenced"), fenced], ["1;", undefined, 1]);
      assert.equal((await journal.find(runId))?.status, "running");
      assert.deepEqual(await journal.listTimers(ShardSet.all, 2_000, 10), [timer]);
      assert.equal(await journal.readSnapshot(runId, 2), undefined);
      await assert.rejects(journal.readPayload(runId, 2, 0), { code: "JOURNAL_CORRUPT" });
    });

    listCases(() => journal);
    tailCases(
      () => bed,
      () => journal,
    );
    refusalCases(() => bed);
    payloadCases(
      () => bed,
      () => journal,
    );
  });
}
