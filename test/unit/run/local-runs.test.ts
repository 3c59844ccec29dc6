/** Runs as actors: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { MaestroError } from "../../../runtime/errors.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { type RunsNode, Store, startOf, startRunsNode, Tasks } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

const forever = new AbortController().signal;
const CALLS = "do: [{ one: { call: charge@default } }, { two: { call: ship@default } }]";
const SIGNAL = "do: [{ ask: { call: signal@default, with: { name: go } } }]";

function code(expected: string): (error: unknown) => boolean {
  return (error) => (error as MaestroError).code === expected;
}

describe("runs of a node", () => {
  let store: Store;
  let tasks: Tasks;
  let node: RunsNode;
  let release: () => void;

  beforeEach(async () => {
    store = new Store();
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    tasks = new Tasks({
      charge: (input) => input,
      ship: (input) => ({ shipped: input }),
      refund: async () => {
        await gate;
        return "refunded";
      },
    });
    node = await startRunsNode(store, tasks);
  });

  afterEach(async () => {
    release();
    await node.stop();
  });

  it("executes a run and answers with its outcome", async () => {
    const workflowId = await store.deploy(CALLS);
    const outcome = await node.runs.execute(startOf(workflowId, { n: 1 }), forever);
    assert.deepEqual([outcome.status, outcome.output], ["completed", '{"shipped":{"n":1}}']);
    assert.equal(tasks.executed.length, 2);
  });

  it("shows a run that was started in its list, its view and its history", async () => {
    const workflowId = await store.deploy(CALLS);
    const { runId } = await node.runs.start(startOf(workflowId, { n: 1 }));
    assert.deepEqual(
      (await node.runs.list({}, 10)).map((run) => run.runId),
      [runId],
    );
    const outcome = await node.runs.outcome(runId, forever);
    assert.equal(outcome.status, "completed");
    const view = await node.runs.get(runId);
    assert.deepEqual([view.status, view.input, view.output], ["completed", '{"n":1}', '{"shipped":{"n":1}}']);
    const history = await node.runs.history(runId, 1, 100);
    assert.deepEqual(
      history.map((entry) => entry.seq),
      history.map((_, index) => index + 1),
    );
    assert.equal(history.at(-1)?.type, "run.ended");
    assert.deepEqual(
      (await node.runs.history(runId, 3, 2)).map((entry) => entry.seq),
      [3, 4],
    );
  });

  it("answers a second start with the same key with the first run, and refuses the key for another workflow", async () => {
    const workflowId = await store.deploy(CALLS);
    const [first, second] = await Promise.all([
      node.runs.start(startOf(workflowId, 1, { idempotencyKey: "k" })),
      node.runs.start(startOf(workflowId, 1, { idempotencyKey: "k" })),
    ]);
    assert.equal(first.runId, second.runId);
    assert.deepEqual([first.created, second.created].sort(), [false, true]);
    const other = await store.deploy(CALLS, "other");
    await assert.rejects(node.runs.start(startOf(other, 1, { idempotencyKey: "k" })), code("IDEMPOTENCY_KEY_REUSED"));
    const outcome = await node.runs.execute(startOf(workflowId, 1, { idempotencyKey: "k" }), forever);
    assert.equal(outcome.runId, first.runId);
    assert.equal(tasks.executed.length, 2);
  });

  it("streams history live, from any entry, until the run ends", async () => {
    const workflowId = await store.deploy(SIGNAL);
    const { runId } = await node.runs.start(startOf(workflowId));
    const seen: string[] = [];
    const watching = (async () => {
      for await (const entry of node.runs.watch(runId, 2, forever)) seen.push(`${entry.seq} ${entry.type}`);
    })();
    await waitUntil("the stored entries", () => seen.length >= 3);
    await node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
    await watching;
    assert.equal(seen[0]?.startsWith("2 "), true);
    assert.equal(seen.at(-1)?.endsWith("run.ended"), true);
  });

  it("ends a watch when its caller goes", async () => {
    const workflowId = await store.deploy(SIGNAL);
    const { runId } = await node.runs.start(startOf(workflowId));
    const caller = new AbortController();
    const watching = (async () => {
      for await (const entry of node.runs.watch(runId, 1, caller.signal)) if (entry.type === "signal.awaited") caller.abort();
    })();
    await watching;
  });

  it("refuses ids of runs that are not there", async () => {
    const unknown = newRunId(1, Date.now(), seededRandom(1));
    const calls: Promise<unknown>[] = [
      node.runs.get(unknown),
      node.runs.history(unknown, 1, 1),
      node.runs.outcome(unknown, forever),
      node.runs.signal(unknown, { name: "a", payload: "1", signalId: "" }),
      node.runs.cancel(unknown, ""),
      node.runs.release(unknown),
      node.runs.watch(unknown, 1, forever)[Symbol.asyncIterator]().next(),
    ];
    for (const call of calls) await assert.rejects(call, code("RUN_NOT_FOUND"));
  });

  it("cancels and terminates, once", async () => {
    const workflowId = await store.deploy("do: [{ slow: { call: refund@default } }]");
    const { runId } = await node.runs.start(startOf(workflowId));
    await node.runs.cancel(runId, "enough");
    assert.equal((await node.runs.outcome(runId, forever)).status, "cancelled");
    assert.equal(tasks.cancelled.length, 1);
    await assert.rejects(node.runs.terminate(runId, ""), code("RUN_ENDED"));
    const second = await node.runs.start(startOf(workflowId));
    await node.runs.terminate(second.runId, "now");
    assert.equal((await node.runs.get(second.runId)).status, "terminated");
  });

  it("computes expressions outside the compiled subset elsewhere and goes on", async () => {
    const workflowId = await store.deploy("do: [{ a: { set: { x: '${ [.] | @csv }' } } }, { b: { call: charge@default } }]");
    assert.equal((await node.runs.execute(startOf(workflowId, 1), forever)).output, '{"x":"external"}');
  });

  it("takes no new runs when it is stopping", async () => {
    const workflowId = await store.deploy(CALLS);
    node.open.stopStarting();
    await assert.rejects(node.runs.start(startOf(workflowId)), code("NODE_STOPPING"));
    await assert.rejects(node.runs.execute(startOf(workflowId), forever), code("NODE_STOPPING"));
  });

  it("lets a run that only waits leave memory, and brings it back when its signal comes", async () => {
    await node.stop();
    node = await startRunsNode(store, tasks, 20);
    const left: string[] = [];
    node.events.on("run.passivated", ({ runId }) => left.push(runId));
    const busy = await node.runs.start(startOf(await store.deploy("do: [{ slow: { call: refund@default } }]")));
    const { runId } = await node.runs.start(startOf(await store.deploy(SIGNAL)));
    await waitUntil("the run to leave memory", () => left.includes(runId));
    await node.runs.signal(runId, { name: "go", payload: "7", signalId: "" });
    assert.equal((await node.runs.outcome(runId, forever)).output, "7");
    assert.ok(!left.includes(busy.runId), "a run with work under way stays");
  });
});
