/** Runs as actors: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { StartedRun } from "../../../actors/runs.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { seededRandom, systemRandom } from "../../../runtime/random.ts";
import { CALLS, code, FOREVER, runsBed, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { Store, startOf, startRunsNode } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("runs of a node", () => {
  const bed = runsBed();

  it("executes a run and answers with its outcome", async () => {
    const workflowId = await bed.store.deploy(CALLS);
    const outcome = await bed.node.runs.execute(startOf(workflowId, { n: 1 }), FOREVER);
    assert.deepEqual([outcome.status, outcome.output], ["completed", '{"shipped":{"n":1}}']);
    assert.equal(bed.tasks.executed.length, 2);
  });

  it("shows a run that was started in its list, its view and its history", async () => {
    const workflowId = await bed.store.deploy(CALLS);
    const { runId } = await bed.node.runs.start(startOf(workflowId, { n: 1 }));
    assert.deepEqual(
      (await bed.node.runs.list({}, 10)).map((run) => run.runId),
      [runId],
    );
    const outcome = await bed.node.runs.outcome(runId, FOREVER);
    assert.equal(outcome.status, "completed");
    const view = await bed.node.runs.get(runId);
    assert.deepEqual([view.status, view.input, view.output], ["completed", '{"n":1}', '{"shipped":{"n":1}}']);
    const history = await bed.node.runs.history(runId, 1, 100);
    assert.deepEqual(
      history.map((entry) => entry.seq),
      history.map((_, index) => index + 1),
    );
    assert.equal(history.at(-1)?.type, "run.ended");
    assert.deepEqual(
      (await bed.node.runs.history(runId, 3, 2)).map((entry) => entry.seq),
      [3, 4],
    );
  });

  it("answers a second start with the same key with the first run, and refuses the key for another workflow", async () => {
    const workflowId = await bed.store.deploy(CALLS);
    const [first, second] = await Promise.all([
      bed.node.runs.start(startOf(workflowId, 1, { idempotencyKey: "k" })),
      bed.node.runs.start(startOf(workflowId, 1, { idempotencyKey: "k" })),
    ]);
    assert.equal(first.runId, second.runId);
    assert.deepEqual([first.created, second.created].sort(), [false, true]);
    const other = await bed.store.deploy(CALLS, "other");
    await assert.rejects(bed.node.runs.start(startOf(other, 1, { idempotencyKey: "k" })), code("IDEMPOTENCY_KEY_REUSED"));
    const outcome = await bed.node.runs.execute(startOf(workflowId, 1, { idempotencyKey: "k" }), FOREVER);
    assert.equal(outcome.runId, first.runId);
    assert.equal(bed.tasks.executed.length, 2);
  });

  it("streams history live, from any entry, until the run ends", async () => {
    const workflowId = await bed.store.deploy(SIGNAL);
    const { runId } = await bed.node.runs.start(startOf(workflowId));
    const seen: string[] = [];
    const watching = (async () => {
      for await (const entry of bed.node.runs.watch(runId, 2, FOREVER)) seen.push(`${entry.seq} ${entry.type}`);
    })();
    await waitUntil("the stored entries", () => seen.length >= 3);
    await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
    await watching;
    assert.equal(seen[0]?.startsWith("2 "), true);
    assert.equal(seen.at(-1)?.endsWith("run.ended"), true);
  });

  describe("started again under their id", () => {
    const begin = async (body: string) => {
      const request = startOf(await bed.store.deploy(body), 1);
      const runId = newRunId(5, Date.now(), systemRandom());
      await bed.node.open.runs.startAs(runId, request, false);
      const again = (isRepeat: boolean) => bed.node.open.runs.startAs(runId, request, isRepeat);
      return { runId, again, cancel: () => bed.node.runs.cancel(runId, "enough") };
    };
    const FAR_OFF = "do: [{ rest: { wait: { days: 1 } } }]";

    it("answer what there is while they leave memory", async () => {
      const { open, events, runs } = bed.node;
      const [runId, request] = [newRunId(5, Date.now(), systemRandom()), startOf(await bed.store.deploy(FAR_OFF))];
      const again = new Promise<StartedRun>((resolve) => {
        const unsubscribe = events.on("run.passivated", () => {
          unsubscribe();
          resolve(open.runs.startAs(runId, request, true));
        });
      });
      await open.runs.startAs(runId, request, false);
      assert.deepEqual(await again, { runId, created: true });
      await runs.cancel(runId, "enough");
      assert.equal((await runs.get(runId)).status, "cancelled");
    });

    it("answer what there was when they have ended", async () => {
      const { runId, again } = await begin(CALLS);
      await bed.node.runs.outcome(runId, FOREVER);
      assert.deepEqual(await again(true), { runId, created: true });
      assert.equal(bed.tasks.executed.length, 2);
    });

    it("begin if they did not, also when somebody has asked for them before", async () => {
      const request = startOf(await bed.store.deploy(SIGNAL));
      const runId = newRunId(5, Date.now(), systemRandom());
      const asked = bed.node.runs.get(runId);
      const started = await Promise.all([true, true].map((isRepeat) => bed.node.open.runs.startAs(runId, request, isRepeat)));
      assert.deepEqual(
        started,
        [1, 2].map(() => ({ runId, created: true })),
      );
      assert.equal((await asked).runId, runId, "who asked before hears of the run that began meanwhile");
      assert.equal(bed.store.memory.runs.size, 1);
    });

    it("take no harm if nobody knows that it is again", async () => {
      const { runId, again, cancel } = await begin(FAR_OFF);
      await waitUntil("the run to leave memory", () => bed.node.open.activeCount === 0);
      const ended = bed.node.runs.outcome(runId, FOREVER);
      assert.deepEqual(await again(false), { runId, created: true });
      await cancel();
      assert.equal((await ended).status, "cancelled");
    });
  });

  it("ends a watch when its caller goes", async () => {
    const workflowId = await bed.store.deploy(SIGNAL);
    const { runId } = await bed.node.runs.start(startOf(workflowId));
    const caller = new AbortController();
    const watching = (async () => {
      for await (const entry of bed.node.runs.watch(runId, 1, caller.signal)) if (entry.type === "signal.awaited") caller.abort();
    })();
    await watching;
  });

  it("refuses ids of runs that are not there", async () => {
    const unknown = newRunId(1, Date.now(), seededRandom(1));
    const calls: Promise<unknown>[] = [
      bed.node.runs.get(unknown),
      bed.node.runs.history(unknown, 1, 1),
      bed.node.runs.outcome(unknown, FOREVER),
      bed.node.runs.signal(unknown, { name: "a", payload: "1", signalId: "" }),
      bed.node.runs.cancel(unknown, ""),
      bed.node.runs.release(unknown),
      bed.node.runs.watch(unknown, 1, FOREVER)[Symbol.asyncIterator]().next(),
    ];
    await Promise.all(calls.map((call) => assert.rejects(call, code("RUN_NOT_FOUND"))));
  });

  it("cancels and terminates; who asks again, as one that lost the answer, is answered again", async () => {
    const workflowId = await bed.store.deploy(SLOW);
    const { runId } = await bed.node.runs.start(startOf(workflowId));
    await bed.node.runs.cancel(runId, "enough");
    assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "cancelled");
    assert.equal(bed.tasks.cancelled.length, 1);
    const { length } = await bed.node.runs.history(runId, 1, 100);
    await bed.node.runs.cancel(runId, "enough");
    assert.equal((await bed.node.runs.history(runId, 1, 100)).length, length);
    await assert.rejects(bed.node.runs.terminate(runId, ""), code("RUN_ENDED"));
    const second = await bed.node.runs.start(startOf(workflowId));
    await bed.node.runs.terminate(second.runId, "now");
    await bed.node.runs.terminate(second.runId, "now");
    assert.equal((await bed.node.runs.get(second.runId)).status, "terminated");
    await assert.rejects(bed.node.runs.cancel(second.runId, ""), code("RUN_ENDED"));
  });

  it("computes expressions outside the compiled subset elsewhere and goes on", async () => {
    const workflowId = await bed.store.deploy("do: [{ a: { set: { x: '${ [.] | @csv }' } } }, { b: { call: charge@default } }]");
    assert.equal((await bed.node.runs.execute(startOf(workflowId, 1), FOREVER)).output, '{"x":"external"}');
  });

  it("takes no new runs when it is stopping", async () => {
    const workflowId = await bed.store.deploy(CALLS);
    bed.node.open.stopStarting();
    await assert.rejects(bed.node.runs.start(startOf(workflowId)), code("NODE_STOPPING"));
    await assert.rejects(bed.node.runs.execute(startOf(workflowId), FOREVER), code("NODE_STOPPING"));
  });

  it("are answered by what is committed, not that the node stops, when their write is on its way", async () => {
    const { open, runs, faults } = bed.node;
    const { runId } = await runs.start(startOf(await bed.store.deploy(SIGNAL)));
    faults.inject({ kind: "none", delayMs: 100 });
    const cancelled = runs.cancel(runId, "enough");
    await waitUntil("the write to be on its way", () => bed.node.journal.pressure().queuedWrites === 0);
    await open.system.stop();
    await cancelled;
    assert.equal(bed.store.memory.runs.get(runId)?.status, "cancelled");
  });

  it("names the commit, not an actor, when the store takes none for long", async () => {
    const clock = virtualClock();
    const store = new Store(clock);
    const node = await startRunsNode(store, bed.tasks);
    const workflowId = await store.deploy(SIGNAL);
    /** Lets time pass until something has settled. */
    const settled = async (what: string, promise: Promise<unknown>): Promise<void> => {
      let isOver = false;
      const over = promise.finally(() => {
        isOver = true;
      });
      await waitUntil(what, () => {
        clock.advance(1_000);
        return isOver;
      });
      await over;
    };
    node.faults.isDown = true;
    const refusal = { code: "TIMED_OUT", message: "The commit of the run took longer than 60000 ms." };
    await settled("the start to be given up", assert.rejects(node.runs.start(startOf(workflowId)), refusal));
    node.faults.isDown = false;
    await settled("the node to stop", node.stop());
  });

  it("lets a run that only waits leave memory, and brings it back when its signal comes", async () => {
    await bed.node.stop();
    bed.node = await startRunsNode(bed.store, bed.tasks, 20);
    const left: string[] = [];
    bed.node.events.on("run.passivated", ({ runId }) => left.push(runId));
    const busy = await bed.node.runs.start(startOf(await bed.store.deploy(SLOW)));
    const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
    await waitUntil("the run to leave memory", () => left.includes(runId));
    await bed.node.runs.signal(runId, { name: "go", payload: "7", signalId: "" });
    assert.equal((await bed.node.runs.outcome(runId, FOREVER)).output, "7");
    assert.ok(!left.includes(busy.runId), "a run with work under way stays");
  });

  it("lets a run that waits for a time far off leave memory at once, and no other", async () => {
    await bed.node.stop();
    bed.node = await startRunsNode(bed.store, bed.tasks, 60_000);
    const left: string[] = [];
    bed.node.events.on("run.passivated", ({ runId }) => left.push(runId));
    const soon = await bed.node.runs.start(startOf(await bed.store.deploy("do: [{ rest: { wait: { seconds: 59 } } }]")));
    const signal = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
    const late = await bed.node.runs.start(startOf(await bed.store.deploy("do: [{ rest: { wait: { days: 1 } } }]")));
    await waitUntil("the run to leave memory", () => left.length > 0);
    assert.deepEqual(left, [late.runId]);
    const statuses = await Promise.all([soon, signal, late].map(async ({ runId }) => (await bed.node.runs.get(runId)).status));
    assert.deepEqual(statuses, ["waiting", "waiting", "waiting"]);
  });
});
