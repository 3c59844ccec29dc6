/** Runs as actors: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { MaestroError } from "../../../runtime/errors.ts";
import type { RunId } from "../../../runtime/ids.ts";
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

  describe("a long history", () => {
    const LONG = `do:
  - rows: { for: { in: '\${ [range(40)] }' }, do: [{ columns: { for: { in: '\${ [range(40)] }' }, do: [{ one: { set: { n: '\${ .n + 1 }' } } }] } }] }
  - ask: { call: signal@default, with: { name: go } }
`;

    async function longRun(): Promise<RunId> {
      const { runId } = await node.runs.start(startOf(await store.deploy(LONG), { n: 0 }));
      await waitUntil("the run to wait for its signal", () => store.memory.runs.get(runId)?.wake === 4);
      return runId;
    }

    it("is read back from its last snapshot", async () => {
      const runId = await longRun();
      await node.stop();
      node = await startRunsNode(store, tasks);
      const read: number[] = [];
      node.events.on("run.loaded", ({ entries }) => read.push(entries));
      const { journal } = node;
      const original = journal.read.bind(journal);
      const asked: number[] = [];
      journal.read = (id, fromSeq, rows) => {
        asked.push(fromSeq);
        return original(id, fromSeq, rows);
      };
      const { lastSeq } = await node.runs.get(runId);
      assert.ok(lastSeq > 3_000, `${lastSeq} entries`);
      assert.deepEqual(read, [lastSeq]);
      assert.ok(
        asked.every((seq) => seq > lastSeq - 1_600),
        `read from ${asked}`,
      );
      await node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await node.runs.outcome(runId, forever)).status, "completed");
    });

    it("is shown in pages that are the same wherever reading begins", async () => {
      const runId = await longRun();
      const whole = await node.runs.history(runId, 1, 100_000);
      for (const from of [1, 999, 2_500, whole.length - 5]) {
        assert.deepEqual(await node.runs.history(runId, from, 20), whole.slice(from - 1, from + 19));
      }
      const watched: number[] = [];
      const caller = new AbortController();
      for await (const entry of node.runs.watch(runId, 2_900, caller.signal)) {
        watched.push(entry.seq);
        if (watched.length === 10) caller.abort();
      }
      assert.deepEqual(
        watched.slice(0, 10),
        Array.from({ length: 10 }, (_, index) => 2_900 + index),
      );
    });

    it("is read from its beginning if its snapshots are damaged", async () => {
      const runId = await longRun();
      await node.stop();
      for (const stored of store.memory.snapshots.get(runId) ?? []) stored.state.fill(7);
      node = await startRunsNode(store, tasks);
      await node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await node.runs.outcome(runId, forever)).status, "completed");
    });
  });

  describe("when a node is gone", () => {
    it("goes on where the history ends: finished steps are not executed again", async () => {
      const workflowId = await store.deploy(
        "do: [{ one: { call: charge@default } }, { slow: { call: refund@default } }, { three: { call: ship@default } }]",
      );
      const { runId } = await node.runs.start(startOf(workflowId, { n: 1 }));
      await waitUntil("the second step is under way", () => tasks.executed.length === 2);
      const next = await startRunsNode(store, tasks);
      await waitUntil("the second step is executed again", () => tasks.executed.length === 3);
      release();
      assert.equal((await next.runs.outcome(runId, forever)).status, "completed");
      assert.deepEqual(tasks.executed.map((attempt) => attempt.task).slice(0, 4), ["/do/0/one", "/do/1/slow", "/do/1/slow", "/do/2/three"]);
      assert.equal(new Set(tasks.executed.slice(1, 3).map((attempt) => attempt.idempotencyKey)).size, 1);
      await waitUntil("the old node learns that it was fenced", node.fenced);
      await next.stop();
    });

    it("wakes runs by their timers and signals, which were only in the store", async () => {
      const waiting = await node.runs.start(startOf(await store.deploy("do: [{ rest: { wait: { milliseconds: 300 } } }]")));
      const asking = await node.runs.start(startOf(await store.deploy(SIGNAL)));
      await node.stop();
      node = await startRunsNode(store, tasks);
      await node.runs.signal(asking.runId, { name: "go", payload: '"yes"', signalId: "" });
      assert.equal((await node.runs.outcome(asking.runId, forever)).output, '"yes"');
      assert.equal((await node.runs.outcome(waiting.runId, forever)).status, "completed");
      assert.equal(store.memory.timers.size, 0);
    });
  });

  describe("when the store has a fault", () => {
    it("commits once although the answer to a commit was lost", async () => {
      const workflowId = await store.deploy(CALLS);
      node.faults.inject({ kind: "answerLost" }, { kind: "lost" }, { kind: "answerLost" });
      const outcome = await node.runs.execute(startOf(workflowId, { n: 1 }), forever);
      assert.equal(outcome.status, "completed");
      const history = await node.runs.history(outcome.runId, 1, 100);
      assert.equal(history.filter((entry) => entry.type === "task.completed").length, 3);
    });

    it("reads a run back whose write was refused, and goes on", async () => {
      const workflowId = await store.deploy(CALLS);
      const { runId } = await node.runs.start(startOf(workflowId));
      node.faults.inject({ kind: "refused" });
      assert.equal((await node.runs.outcome(runId, forever)).status, "completed");
    });
  });

  describe("when a run's history is damaged", () => {
    async function damagedRun(): Promise<RunId> {
      const { runId } = await node.runs.start(startOf(await store.deploy(SIGNAL)));
      await node.stop();
      const [row] = store.memory.rows.get(runId) ?? [];
      assert.ok(row !== undefined);
      store.memory.rows.set(runId, [{ ...row, entries: Buffer.from("not an entry") }]);
      node = await startRunsNode(store, tasks);
      return runId;
    }

    it("quarantines that run, and the others go on", async () => {
      const runId = await damagedRun();
      await assert.rejects(node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }));
      await waitUntil("the run is quarantined in the store", () => store.memory.runs.get(runId)?.status === "quarantined");
      await assert.rejects(node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }), code("RUN_QUARANTINED"));
      assert.equal((await node.runs.execute(startOf(await store.deploy(CALLS)), forever)).status, "completed");
    }).timeout(30_000);

    it("lets a quarantined run go on when it was mended and released", async () => {
      const { runId } = await node.runs.start(startOf(await store.deploy(SIGNAL)));
      await node.stop();
      const good = store.memory.rows.get(runId) ?? [];
      store.memory.rows.set(
        runId,
        good.map((row) => ({ ...row, entries: Buffer.from("not an entry") })),
      );
      node = await startRunsNode(store, tasks);
      await assert.rejects(node.runs.release(runId), code("RUN_NOT_QUARANTINED"));
      await assert.rejects(node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }));
      await waitUntil("the run is quarantined in the store", () => store.memory.runs.get(runId)?.status === "quarantined");
      store.memory.rows.set(runId, good);
      await node.runs.release(runId);
      await node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await node.runs.outcome(runId, forever)).status, "completed");
    }).timeout(30_000);
  });

  describe("the wake-up auditor", () => {
    it("finds nothing while runs work, wait and end", async () => {
      const slow = await node.runs.start(startOf(await store.deploy("do: [{ slow: { call: refund@default } }]")));
      await node.runs.start(startOf(await store.deploy("do: [{ rest: { wait: { hours: 1 } } }]")));
      await node.runs.start(startOf(await store.deploy(SIGNAL)));
      await node.runs.execute(startOf(await store.deploy(CALLS)), forever);
      assert.deepEqual(await node.open.auditor.audit(0), []);
      release();
      await node.runs.outcome(slow.runId, forever);
    });

    it("reports a run that lost its timer, and one that nobody holds, and wakes them", async () => {
      const waiting = await node.runs.start(startOf(await store.deploy("do: [{ rest: { wait: { hours: 1 } } }]")));
      const asking = await node.runs.start(startOf(await store.deploy(SIGNAL)));
      await node.stop();
      node = await startRunsNode(store, tasks);
      store.memory.timers.clear();
      const record = store.memory.runs.get(asking.runId);
      assert.ok(record !== undefined);
      store.memory.runs.set(asking.runId, { ...record, wake: 1 });
      const reports: (readonly string[])[] = [];
      node.events.on("run.withoutWakeup", ({ runIds }) => reports.push(runIds));
      const found = await waitUntil("the audit to report both", async () => {
        // A run that was changed within the same millisecond is left out.
        await node.open.auditor.audit(0);
        return reports.find((report) => report.length === 2);
      });
      assert.deepEqual([...found].sort(), [waiting.runId, asking.runId].sort());
      await waitUntil("the head that was wrong is mended", () => store.memory.runs.get(asking.runId)?.wake === 4);
    });
  });
});
