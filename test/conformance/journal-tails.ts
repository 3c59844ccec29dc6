/** What every journal must do with the readings of runs that share queries. */
import assert from "node:assert/strict";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { createWrite, entryWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import type { StorageBed } from "./bed.ts";

const isCorrupt = { code: "JOURNAL_CORRUPT" };

/** Declares the cases. `bed`, `current`: those of the case that runs. */
export function tailCases(bed: () => StorageBed, current: () => Journal): void {
  /** A run with this many rows of one entry each, and a snapshot after entry `snapshotSeq`. */
  const runOf = async (rows: number, snapshotSeq = 0): Promise<RunId> => {
    const runId = runIdOn();
    await current().append(createWrite(runId));
    for (let seq = 2; seq <= rows; seq++) {
      await current().append(entryWrite(runId, seq, seq === snapshotSeq ? { snapshot: Buffer.from(`until ${seq}`) } : {}));
    }
    return runId;
  };
  const textOf = async (runId: RunId): Promise<string> => {
    const { snapshot, rows, isWhole } = await current().readTail(runId);
    const begin = snapshot === undefined ? "" : `${Buffer.from(snapshot.state)}:`;
    return begin + rows.map((row) => Buffer.from(row.entries).toString()).join("") + (isWhole ? "" : "...");
  };

  it("reads many runs at once, each its own rows after its own newest snapshot", async () => {
    const runIds = [await runOf(1), await runOf(3), await runOf(4, 2), await runOf(3, 3), runIdOn()];
    assert.deepEqual(await Promise.all(runIds.map(textOf)), ["1;", "1;2;3;", "until 2:3;4;", "until 3:", ""]);
    const found = await Promise.all(runIds.map((runId) => current().find(runId)));
    assert.deepEqual(
      found.map((run) => run?.runId),
      [...runIds.slice(0, 4), undefined],
    );
  });

  it("says in the same reading how the boot stands to a run: whoever acts on it must own it", async () => {
    const [there, other] = [await runOf(2), runIdOn(shardOf(await runOf(1)))];
    const standings = async (journal: Journal): Promise<readonly string[]> =>
      Promise.all([there, other].map(async (runId) => (await journal.readTail(runId)).standing));
    const { bootId, held, journal } = await bed().boot("a");
    assert.deepEqual(await standings(current()), ["fenced", "fenced"], "this boot took over from the one before");
    assert.deepEqual([await standings(journal), await textOf(there)], [["owner", "owner"], "1;2;"]);
    const shards = [shardOf(other)];
    held.close(shards);
    await bed().ownership.release(bootId, held.epochsOf(shards));
    assert.deepEqual(await standings(journal), [shardOf(there) === shardOf(other) ? "moved" : "owner", "moved"]);
    const left = runIdOn(shardOf(other) + 1);
    await bed().ownership.fence(bootId, { even: "alive" });
    assert.equal((await journal.readTail(left)).standing, "fenced", "before anybody has taken the shard");
  });

  it("reads more runs at once than a query takes, and each once however many ask", async () => {
    const runIds = Array.from({ length: 2 * LIMITS.tailsPerQuery + 1 }, (_, shard) => runIdOn(shard));
    await Promise.all(runIds.map((runId) => current().append(createWrite(runId))));
    const read = await Promise.all([...runIds, ...runIds].map(textOf));
    assert.deepEqual([...new Set(read)], ["1;"]);
    assert.equal(new Set((await Promise.all(runIds.map((runId) => current().find(runId)))).map((run) => run?.runId)).size, runIds.length);
  });

  it("fails the damaged run of many that are read at once, and no other", async () => {
    const [altered, removed, intact] = [await runOf(3), await runOf(3), await runOf(3)];
    await bed().damage(altered, 2, "alter");
    await bed().damage(removed, 2, "remove");
    const [first, second, third] = await Promise.allSettled([altered, removed, intact].map(textOf));
    assert.equal(third?.status === "fulfilled" && third.value, "1;2;3;");
    for (const failed of [first, second]) assert.equal(failed?.status === "rejected" && failed.reason.code, isCorrupt.code);
    assert.equal((await current().find(altered))?.status, "running");
  });

  it("passes over a damaged snapshot, and says that rows are yet to be read", async () => {
    const runId = await runOf(4, 3);
    await bed().damageSnapshot(runId, 3);
    assert.equal(await textOf(runId), "...");
    assert.equal((await current().read(runId, 1, 10)).length, 4);
  });

  it("brings a part of a long history, from its beginning", async () => {
    const runId = await runOf(LIMITS.rowsPerTail + 1);
    const { rows, isWhole } = await current().readTail(runId);
    assert.deepEqual([rows.length, rows.at(-1)?.firstSeq, isWhole], [LIMITS.rowsPerTail, LIMITS.rowsPerTail, false]);
  });

  it("brings no more bytes at once than it may, and the rest to who reads on", async () => {
    const large = Buffer.alloc(LIMITS.tailBytesPerQuery / 2 - 1_000, "x");
    const runIds = await Promise.all(
      [0, 1, 2].map(async (shard) => {
        const runId = runIdOn(shard);
        await current().append(createWrite(runId));
        await current().append(entryWrite(runId, 2, { entries: large, head: RUNNING }));
        await current().append(entryWrite(runId, 3));
        return runId;
      }),
    );
    const tails = await Promise.all(runIds.map((runId) => current().readTail(runId)));
    assert.deepEqual(
      tails.map(({ rows, isWhole }) => [rows.length, isWhole]),
      [
        [3, true],
        [3, true],
        [1, false],
      ],
    );
    const [, , last = assert.fail("three runs")] = runIds;
    assert.deepEqual(
      (await current().read(last, 2, 10)).map(({ entries }) => entries.length),
      [large.length, 2],
    );
    const state = Buffer.alloc(LIMITS.tailBytesPerQuery - 1_000, "s");
    await current().append(entryWrite(last, 4, { entries: large, snapshot: state }));
    await current().append(entryWrite(last, 5));
    const [, tail] = await Promise.all([current().readTail(runIds[0] ?? last), current().readTail(last)]);
    assert.deepEqual([tail.snapshot?.seq, tail.snapshot?.state.length, tail.rows.length, tail.isWhole], [4, state.length, 0, false]);
  });
}
