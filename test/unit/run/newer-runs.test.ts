/** Runs whose history a newer version of the program has written: this one can't read it, does nothing with them, and leaves them to who can. */
import assert from "node:assert/strict";
import type { Workflow } from "../../../actors/language/model.ts";
import { encodeEntries } from "../../../actors/run/core/entry.ts";
import { evolve } from "../../../actors/run/core/evolve.ts";
import { encodeSnapshot, parseSnapshot, restoreSnapshot } from "../../../actors/run/core/snapshot.ts";
import { emptyRun } from "../../../actors/run/core/state.ts";
import { loadRun } from "../../../actors/run/loading.ts";
import { DIALECT } from "../../../runtime/dialect.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { newRunId, shardOf } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { journalChecksum } from "../../../runtime/storage/journal-checksum.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import { type ClusterNode, ClusterWorld } from "../../support/cluster-world.ts";
import { writeNewer } from "../../support/newer-entry.ts";
import { code, FOREVER, runsBed, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { startOf, startRunsNode } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("a run that a newer version has gone on with", () => {
  const bed = runsBed();

  for (const [what, body] of Object.entries({ waiting: SIGNAL, "with work ready": SLOW })) {
    it(`and that is ${what} is refused, not quarantined, and goes on with the newer version`, async () => {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(body)));
      await bed.node.stop();
      const understand = writeNewer(bed.store, runId);
      bed.node = await startRunsNode(bed.store, bed.tasks);
      const { runs, open } = bed.node;
      for (const call of [runs.outcome(runId, FOREVER), runs.get(runId), runs.cancel(runId, "enough")])
        await assert.rejects(call, code("RUN_TOO_NEW"));
      await waitUntil("the run to leave memory", () => open.activeCount === 0);
      assert.deepEqual([open.system.quarantined(), bed.store.memory.runs.get(runId)?.status], [[], body === SIGNAL ? "waiting" : "running"]);
      await bed.node.stop();
      understand();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      bed.release();
      if (body === SIGNAL) await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
    });
  }
});

describe("runs that wait for a newer version", () => {
  const bed = runsBed();

  it("are told of once by each boot and counted while they are here, and the wake-up auditor leaves them out", async () => {
    const { open, runs, events, held } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SLOW)));
    const shards = ShardSet.of([shardOf(runId)]);
    const told: string[] = [];
    const lost: string[] = [];
    events.on("run.leftToNewer", (event) => told.push(event.runId));
    events.on("run.withoutWakeup", ({ runIds }) => lost.push(...runIds));
    await open.closeShards(shards);
    const understand = writeNewer(bed.store, runId);
    for (const time of ["first", "second"]) {
      held.add(new Map([...shards].map((shard) => [shard, 2])));
      await open.openShards(shards, ShardSet.none);
      await waitUntil(`the run to be found for the ${time} time`, () => open.leftToNewer === 1);
      await waitUntil("the run to leave memory", () => open.activeCount === 0);
      assert.deepEqual([await open.auditor.audit(-60_000), lost, told], [[], [], [runId]]);
      await open.closeShards(shards);
      assert.equal(open.leftToNewer, 0, "it is another node's concern");
    }
    understand();
  });
});

describe("what a newer version has written", () => {
  const bed = runsBed();

  it("stops the run if it is a field of a known entry that the state keeps", async () => {
    const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
    await waitUntil("the run to wait", () => bed.store.memory.runs.get(runId)?.status === "waiting");
    await bed.node.stop();
    const event = { $case: "cancelRequested", value: { reason: "enough" } } as const;
    writeNewer(bed.store, runId, encodeEntries([{ offsetMs: 1, event, moved: [], readsFrom: DIALECT + 1 }]));
    bed.node = await startRunsNode(bed.store, bed.tasks);
    await assert.rejects(bed.node.runs.get(runId), code("RUN_TOO_NEW"));
    assert.equal(bed.store.memory.runs.get(runId)?.status, "waiting");
  });

  it("stops the run although a snapshot covers it, and is not written over", async () => {
    const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
    await waitUntil("the run to wait", () => bed.store.memory.runs.get(runId)?.status === "waiting");
    const { journal, events } = bed.node;
    const workflow = async (id: string): Promise<Workflow> => bed.store.workflows.get(id) ?? assert.fail("the workflow is there");
    const state = await loadRun({ journal, events, workflow }, runId);
    await bed.node.stop();
    evolve(state, { offsetMs: 1, event: { $case: "cancelRequested", value: { reason: "enough" } }, moved: [], readsFrom: DIALECT + 1 });
    writeNewer(bed.store, runId);
    const bytes = encodeSnapshot(state);
    bed.store.memory.snapshots.set(runId, [{ seq: state.lastSeq, state: bytes, checksum: journalChecksum(runId, state.lastSeq, 0, [bytes]) }]);
    bed.node = await startRunsNode(bed.store, bed.tasks);
    for (const call of [bed.node.runs.get(runId), bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" })])
      await assert.rejects(call, code("RUN_TOO_NEW"));
    assert.equal(bed.store.memory.snapshots.get(runId)?.[0]?.state, bytes);
  });

  it("is remembered by every snapshot that covers it", () => {
    const state = emptyRun(newRunId(1, 1, seededRandom(1)), "w", {} as Workflow);
    evolve(state, { offsetMs: 1, event: { $case: "cancelRequested", value: { reason: "" } }, moved: [], readsFrom: 2 });
    evolve(state, { offsetMs: 1, event: { $case: "cancelRequested", value: { reason: "" } }, moved: [], readsFrom: 1 });
    const restored = restoreSnapshot(state.runId, state.workflow, parseSnapshot(encodeSnapshot(state)) ?? assert.fail("a snapshot"));
    assert.deepEqual([restored?.readsFrom, restored?.cancelReason], [2, ""]);
  });
});

describe("a call for a run that its owner is too old for", () => {
  it("waits for the next owner", async () => {
    const world = new ClusterWorld();
    const [first, second] = (await world.begin(2)) as [ClusterNode, ClusterNode];
    const { runId } = await world.finish(first.runs.start(startOf(await world.store.deploy(SIGNAL))));
    const shards = [...first.held.open];
    await world.finish(world.move(shards, first, second));
    const understand = writeNewer(world.store, runId);
    await world.finish(world.move(shards, second, first));
    const calls = [first, second].flatMap(({ runs }) => [
      runs.outcome(runId, FOREVER).then(({ status }) => status),
      runs.signal(runId, { name: "other", payload: "1", signalId: "" }),
    ]);
    let settled = 0;
    for (const call of calls) call.then(() => (settled += 1)).catch(() => (settled += 1));
    for (let ms = 0; ms < 2_000; ms += 1) await world.finish(Promise.resolve()).then(() => world.clock.advance(1));
    assert.equal(settled, 0, "nobody is told of a failure");
    understand();
    await world.finish(world.move(shards, first, second));
    await world.finish(second.runs.signal(runId, { name: "go", payload: "1", signalId: "" }));
    assert.deepEqual(await world.finish(Promise.all(calls)), ["completed", undefined, "completed", undefined]);
    world.checkHistories();
    await world.end();
  });
});

describe("a gateway that is too old for a run of a newer owner", () => {
  it("passes calls on, and says where to ask for what it would read itself", async () => {
    const held = Promise.withResolvers<number>();
    const world = new ClusterWorld({ refund: () => held.promise });
    const [older, newer] = (await world.begin(2)) as [ClusterNode, ClusterNode];
    const { runId } = await world.finish(newer.runs.start(startOf(await world.store.deploy(SLOW))));
    assert.equal((await world.finish(newer.runs.get(runId))).status, "running");
    await world.finish(waitUntil("the bus to be connected", () => [older, newer].every(({ bus }) => bus.status.state === "connected")));
    // The owner has the run in memory: what it would read is as it was before.
    const understand = writeNewer(world.store, runId);
    const outcome = older.runs.outcome(runId, FOREVER);
    assert.equal((await world.finish(older.runs.get(runId))).status, "running");
    const refusal = (error: unknown): boolean =>
      error instanceof MaestroError && error.code === "RUN_TOO_NEW" && error.retryable && /gateway/.test(error.advice);
    await assert.rejects(world.finish(older.runs.history(runId, 1, 10)), refusal);
    const watched = async (): Promise<void> => {
      for await (const { seq } of older.runs.watch(runId, 1, FOREVER)) assert.ok(seq > 0);
    };
    await assert.rejects(world.finish(watched()), refusal);
    understand();
    held.resolve(1);
    assert.equal((await world.finish(outcome)).status, "completed");
    await world.end();
  });
});
