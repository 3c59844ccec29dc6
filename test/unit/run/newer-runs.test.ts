/** Runs whose history a newer version of the program has written: this one can't read it, does nothing with them, and leaves them to who can. */
import assert from "node:assert/strict";
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
