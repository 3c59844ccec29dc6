/** Shards that come and go while their runs live. */
import assert from "node:assert/strict";
import { MaestroError } from "../../../runtime/errors.ts";
import { type RunId, shardOf } from "../../../runtime/ids.ts";
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

  const typesOf = async (runId: RunId) => (await bed.node.runs.history(runId, 1, 100)).map(({ type }) => type);
  const interruptionsOf = async (runId: RunId) => (await typesOf(runId)).filter((type) => type === "attempt.interrupted").length;
  /** Has the next list of what is ready wait, or fail. */
  const nextList = (before: () => Promise<void>): void => {
    const { journal } = bed.node;
    const listReady = journal.listReady.bind(journal);
    journal.listReady = async (...asked) => {
      journal.listReady = listReady;
      await before();
      return listReady(...asked);
    };
  };

  it("are served only once their runs are marked, if their last owner was lost", async () => {
    const { runs, open } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    await open.closeShards(ShardSet.all);
    const listed = Promise.withResolvers<void>();
    let isAsked = false;
    nextList(() => {
      isAsked = true;
      return listed.promise;
    });
    const opened = openAgain([shardOf(runId)], ShardSet.all);
    await waitUntil("the list to be asked for", () => isAsked);
    assert.equal(open.gate.serves(runId), false);
    await assert.rejects(runs.cancel(runId, "meanwhile"), code("SHARD_MOVED"));
    listed.resolve();
    await opened;
    await waitUntil("the run to note it", async () => (await interruptionsOf(runId)) === 1);
  });

  it("hear of their lost owner which attempts had slots of concurrency keys: the others have not begun", async () => {
    const { runs, open } = bed.node;
    const branch = "{ call: refund@default, metadata: { concurrency: { key: one, limit: 1 } } }";
    const { runId } = await runs.start(
      startOf(await bed.store.deploy(`do: [{ both: { fork: { branches: [{ a: ${branch} }, { b: ${branch} }] } } }]`)),
    );
    const scheduled = async () => (await typesOf(runId)).filter((type) => type === "attempt.scheduled").length;
    await waitUntil("one of two attempts to have its slot", async () => (await scheduled()) === 2 && bed.tasks.executed.length === 1);
    await open.closeShards(ShardSet.all);
    await openAgain(ShardSet.all, ShardSet.all);
    await waitUntil("the run to note it", async () => (await interruptionsOf(runId)) > 0);
    assert.equal(await interruptionsOf(runId), 1);
  });

  it("bring their runs back once the store can be asked again", async () => {
    const { runs, open } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    for (const bereft of [ShardSet.none, ShardSet.all]) {
      await open.closeShards(ShardSet.all);
      nextList(() => Promise.reject(new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "here", reason: "it is away" } })));
      await openAgain(ShardSet.all, bereft);
      await waitUntil("the run to be in memory again without the auditor", () => open.activeCount === 1);
    }
    await waitUntil("the run to note that its owner was lost the second time", async () => (await interruptionsOf(runId)) === 1);
  });

  it("count each run that comes back as marked, once, if the runs of a lost owner could not be listed", async () => {
    const { runs, open } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    await open.closeShards(ShardSet.all);
    nextList(() => Promise.reject(new Error("the store is away")));
    await assert.rejects(openAgain(ShardSet.all, ShardSet.all), /the store is away/);
    assert.ok(open.gate.serves(runId));
    await open.auditor.audit(-60_000);
    await waitUntil("the run to note it", async () => (await interruptionsOf(runId)) === 1);
    assert.equal((await open.closeShards([shardOf(runId)])).size, 1, "there may be others that were not seen yet");
  });

  it("go on to their next owner as lost, if they are handed over before their runs are marked", async () => {
    const { runs, open } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    await open.closeShards(ShardSet.all);
    const listed = Promise.withResolvers<void>();
    let isAsked = false;
    nextList(() => {
      isAsked = true;
      return listed.promise;
    });
    const opened = openAgain([shardOf(runId)], ShardSet.all);
    await waitUntil("the list to be asked for", () => isAsked);
    for (const attempt of [1, 2]) assert.deepEqual([...(await open.closeShards([shardOf(runId)]))], [shardOf(runId)], `attempt ${attempt}`);
    listed.resolve();
    await opened;
    assert.equal(open.gate.size, 0, "it is not served after that");
  });

  it("leave no node that ends in order while their next owner has not been told of their loss", async () => {
    const { runs, open, held } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    await open.closeShards(ShardSet.all);
    const shards = [shardOf(runId)];
    const listed = Promise.withResolvers<void>();
    nextList(() => listed.promise);
    const opened = openAgain(shards, ShardSet.all);
    await open.close();
    assert.ok(open.isAdopting, "their runs are not marked yet");
    await open.closeShards(shards);
    listed.resolve();
    await opened;
    await open.close();
    assert.ok(open.isAdopting, "they are handed off, and the store has not been told that they are free");
    held.remove(shards);
    await open.close();
    assert.ok(!open.isAdopting, "they are another's");
  });

  it("keep nobody waiting if their hand-over fails, and can be handed over again", async () => {
    const { runs, open, journal } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    const flush = journal.flush.bind(journal);
    let flushes = 0;
    journal.flush = async () => {
      flushes += 1;
      if (flushes === 1) throw new Error("the disk is full");
      await flush();
    };
    await assert.rejects(open.closeShards([shardOf(runId)]), /the disk is full/);
    await assert.rejects(runs.get(runId), code("SHARD_MOVED"));
    await open.closeShards([shardOf(runId)]);
    assert.equal(flushes, 2);
  });

  it("are handed over with what the ledger has still to store", async () => {
    const { open, ledger } = bed.node;
    const flushed = Promise.withResolvers<void>();
    let isAsked = false;
    let isClosed = false;
    ledger.flush = () => {
      isAsked = true;
      return flushed.promise;
    };
    const closing = open.closeShards(ShardSet.all).then(() => {
      isClosed = true;
    });
    await waitUntil("the ledger to be flushed", () => isAsked);
    assert.equal(isClosed, false);
    flushed.resolve();
    await closing;
  });
});
