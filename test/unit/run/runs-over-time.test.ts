/** Long histories, and the auditor: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { RunId } from "../../../runtime/ids.ts";
import { type RunsNode, Store, startOf, startRunsNode, Tasks } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

const forever = new AbortController().signal;
const CALLS = "do: [{ one: { call: charge@default } }, { two: { call: ship@default } }]";
const SIGNAL = "do: [{ ask: { call: signal@default, with: { name: go } } }]";

describe("runs over time", () => {
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
