/** Long histories, and the auditor: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { RunId } from "../../../runtime/ids.ts";
import { journalChecksum } from "../../../runtime/storage/journal-checksum.ts";
import { CALLS, FOREVER, runsBed, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { startOf, startRunsNode } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("runs over time", () => {
  const bed = runsBed();

  describe("a long history", () => {
    const LONG = `do:
  - rows: { for: { in: '\${ [range(40)] }' }, do: [{ columns: { for: { in: '\${ [range(40)] }' }, do: [{ one: { set: { n: '\${ .n + 1 }' } } }] } }] }
  - ask: { call: signal@default, with: { name: go } }
`;

    async function longRun(): Promise<RunId> {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(LONG), { n: 0 }));
      await waitUntil("the run to wait for its signal", () => bed.store.memory.runs.get(runId)?.wake === 4);
      return runId;
    }

    it("is read back from its last snapshot", async () => {
      const runId = await longRun();
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      const read: number[] = [];
      bed.node.events.on("run.loaded", ({ entries }) => read.push(entries));
      const { journal } = bed.node;
      const original = journal.read.bind(journal);
      const asked: number[] = [];
      journal.read = (id, fromSeq, rows) => {
        asked.push(fromSeq);
        return original(id, fromSeq, rows);
      };
      const { lastSeq } = await bed.node.runs.get(runId);
      assert.ok(lastSeq > 3_000, `${lastSeq} entries`);
      assert.deepEqual(read, [lastSeq]);
      assert.ok(
        asked.every((seq) => seq > lastSeq - 1_600),
        `read from ${asked}`,
      );
      await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
    });

    it("is shown in pages that are the same wherever reading begins", async () => {
      const runId = await longRun();
      const whole = await bed.node.runs.history(runId, 1, 100_000);
      for (const from of [1, 999, 2_500, whole.length - 5]) {
        assert.deepEqual(await bed.node.runs.history(runId, from, 20), whole.slice(from - 1, from + 19));
      }
      const watched: number[] = [];
      const caller = new AbortController();
      for await (const entry of bed.node.runs.watch(runId, 2_900, caller.signal)) {
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
      await bed.node.stop();
      const stored = bed.store.memory.snapshots.get(runId) ?? [];
      for (const snapshot of stored) snapshot.state.fill(7);
      bed.node = await startRunsNode(bed.store, bed.tasks);
      const refused = refusals();
      await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
      assert.deepEqual(
        refused,
        stored.map(({ seq }) => `${runId} ${seq} checksum`),
      );
    });

    it("is read from an older snapshot if the newest has a format that nobody knows", async () => {
      const runId = await longRun();
      await bed.node.stop();
      const stored = bed.store.memory.snapshots.get(runId) ?? [];
      const [newest] = stored;
      assert.ok(newest !== undefined && stored.length > 1);
      const state = Buffer.from([8, 99]);
      stored[0] = { seq: newest.seq, state, checksum: journalChecksum(runId, newest.seq, 0, [state]) };
      bed.node = await startRunsNode(bed.store, bed.tasks);
      const refused = refusals();
      await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
      assert.deepEqual(refused, [`${runId} ${newest.seq} format`]);
    });

    function refusals(): readonly string[] {
      const refused: string[] = [];
      bed.node.events.on("journal.snapshotRefused", ({ runId, seq, reason }) => refused.push(`${runId} ${seq} ${reason}`));
      return refused;
    }
  });

  describe("the wake-up auditor", () => {
    it("finds nothing while runs work, wait and end", async () => {
      const slow = await bed.node.runs.start(startOf(await bed.store.deploy(SLOW)));
      await bed.node.runs.start(startOf(await bed.store.deploy("do: [{ rest: { wait: { hours: 1 } } }]")));
      await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
      await bed.node.runs.execute(startOf(await bed.store.deploy(CALLS)), FOREVER);
      assert.deepEqual(await bed.node.open.auditor.audit(0), []);
      bed.release();
      await bed.node.runs.outcome(slow.runId, FOREVER);
    });

    it("reports a run that lost its timer, and one that nobody holds, and wakes them", async () => {
      const waiting = await bed.node.runs.start(startOf(await bed.store.deploy("do: [{ rest: { wait: { hours: 1 } } }]")));
      const asking = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      bed.store.memory.timers.clear();
      const record = bed.store.memory.runs.get(asking.runId);
      assert.ok(record !== undefined);
      bed.store.memory.runs.set(asking.runId, { ...record, wake: 1 });
      const reports: (readonly string[])[] = [];
      bed.node.events.on("run.withoutWakeup", ({ runIds }) => reports.push(runIds));
      const found = await waitUntil("the audit to report both", async () => {
        // A run that was changed within the same millisecond is left out.
        await bed.node.open.auditor.audit(0);
        return reports.find((report) => report.length === 2);
      });
      assert.deepEqual([...found].sort(), [waiting.runId, asking.runId].sort());
      await waitUntil("the head that was wrong is mended", () => bed.store.memory.runs.get(asking.runId)?.wake === 4);
    });
  });
});
