/** Shards that come and go while their runs live. */
import assert from "node:assert/strict";
import { shardOf } from "../../../runtime/ids.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import { CALLS, code, FOREVER, runsBed, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { startOf } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("the shards of a node", () => {
  const bed = runsBed();
  /** As the owner of the shards that were given up. */
  const openAgain = (shards: Iterable<number>, bereft = ShardSet.none): Promise<void> => {
    const again = ShardSet.of(shards);
    bed.node.held.add(new Map([...again].map((shard) => [shard, 2])));
    return bed.node.open.openShards(again, bereft);
  };

  it("leave nothing behind when they go, and go on where they were when they come", async () => {
    const { runs, open } = bed.node;
    const waiting = await runs.start(startOf(await bed.store.deploy(SIGNAL)));
    const slow = await runs.start(startOf(await bed.store.deploy(SLOW)));
    const outcome = runs.outcome(slow.runId, FOREVER).catch((error: unknown) => error);
    const bereft = await open.closeShards(ShardSet.all);
    assert.deepEqual([bereft.size, open.system.size, open.activeCount, open.gate.size], [0, 1, 0, 0]);
    assert.ok(code("SHARD_MOVED")(await outcome), "who waits is told to ask elsewhere");
    for (const { runId } of [waiting, slow]) {
      await assert.rejects(runs.get(runId), code("SHARD_MOVED"));
      await assert.rejects(runs.outcome(runId, FOREVER), code("SHARD_MOVED"));
      await assert.rejects(runs.signal(runId, { name: "go", payload: "1", signalId: "" }), code("SHARD_MOVED"));
    }
    await assert.rejects(runs.start(startOf(await bed.store.deploy(CALLS, "other"))), code("NODE_STOPPING"));
    assert.equal((await runs.history(slow.runId, 1, 1)).length, 1, "the store can be read all the same");

    await openAgain(ShardSet.all);
    await runs.signal(waiting.runId, { name: "go", payload: "1", signalId: "" });
    bed.release();
    const ends = await Promise.all([waiting, slow].map(({ runId }) => runs.outcome(runId, FOREVER)));
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["completed", "completed"],
    );
    assert.equal(bed.tasks.executed.length, 2, "the task that was cut short is executed again");
  });

  it("are handed over with what is on its way to the store, and the end of it is told", async () => {
    const { runs, open, faults } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SIGNAL)));
    faults.inject({ kind: "none", delayMs: 100 });
    const ended = runs.outcome(runId, FOREVER);
    const terminated = runs.terminate(runId, "now");
    await waitUntil("the write to be on its way", () => bed.node.journal.pressure().queuedWrites === 0);
    await open.closeShards([shardOf(runId)]);
    await terminated;
    assert.equal((await ended).status, "terminated");
  });

  it("are no matter of the auditor before their runs are back, nor after they have left", async () => {
    const { runs, open, events } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    const lost: string[] = [];
    events.on("run.withoutWakeup", ({ runIds }) => lost.push(...runIds));
    await open.closeShards(ShardSet.all);
    await open.auditor.audit(-60_000);
    assert.deepEqual(lost, []);
    const opened = openAgain([shardOf(runId)]);
    await open.auditor.audit(-60_000);
    assert.deepEqual(lost, []);
    await opened;
  });

  it("tell their runs that their last owner was lost", async () => {
    const { runs, open } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    await open.closeShards(ShardSet.all);
    await openAgain(ShardSet.all, ShardSet.of([shardOf(runId)]));
    const types = async () => (await runs.history(runId, 1, 100)).map(({ type }) => type);
    await waitUntil("the run to note it", async () => (await types()).includes("attempt.interrupted"));
  });
});
