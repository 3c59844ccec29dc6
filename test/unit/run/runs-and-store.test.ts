/** Runs when nodes come and go and the store has faults: real actors and real lanes over a store in memory. */
import assert from "node:assert/strict";
import type { RunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { MemoryFaults } from "../../../runtime/storage/memory-faults.ts";
import { CALLS, code, FOREVER, runsBed, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { startOf, startRunsNode } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("runs and their store", () => {
  const bed = runsBed();

  describe("when a node is gone", () => {
    it("goes on where the history ends: finished steps are not executed again", async () => {
      const workflowId = await bed.store.deploy(
        "do: [{ one: { call: charge@default } }, { slow: { call: refund@default } }, { three: { call: ship@default } }]",
      );
      const { runId } = await bed.node.runs.start(startOf(workflowId, { n: 1 }));
      await waitUntil("the second step is under way", () => bed.tasks.executed.length === 2);
      const next = await startRunsNode(bed.store, bed.tasks);
      await waitUntil("the second step is executed again", () => bed.tasks.executed.length === 3);
      bed.release();
      assert.equal((await next.runs.outcome(runId, FOREVER)).status, "completed");
      assert.deepEqual(bed.tasks.executed.map((attempt) => attempt.task).slice(0, 4), ["/do/0/one", "/do/1/slow", "/do/1/slow", "/do/2/three"]);
      assert.equal(new Set(bed.tasks.executed.slice(1, 3).map((attempt) => attempt.idempotencyKey)).size, 1);
      await waitUntil("the old node learns that it was fenced", bed.node.fenced);
      await next.stop();
    });

    it("and goes on without knowing that it was taken over: it executes nothing of what it reads", async () => {
      await bed.node.stop();
      const stale = await startRunsNode(bed.store, bed.tasks, 20);
      bed.node = stale;
      const left: string[] = [];
      stale.events.on("run.passivated", ({ runId }) => left.push(runId));
      const workflowId = await bed.store.deploy("do: [{ ask: { call: signal@default, with: { name: go } } }, { slow: { call: refund@default } }]");
      const { runId } = await stale.runs.start(startOf(workflowId));
      await waitUntil("the run to leave memory", () => left.includes(runId));
      const owner = await startRunsNode(bed.store, bed.tasks);
      await owner.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      await waitUntil("the attempt is under way", () => bed.tasks.executed.length === 1);
      assert.equal(stale.fenced(), false);
      await assert.rejects(stale.runs.signal(runId, { name: "go", payload: "2", signalId: "" }), code("SHARD_MOVED"));
      await assert.rejects(stale.runs.get(runId), code("SHARD_MOVED"));
      assert.equal(stale.fenced(), true, "it stops, as if a commit had been refused");
      bed.release();
      assert.equal((await owner.runs.outcome(runId, FOREVER)).output, '"refunded"');
      assert.equal(bed.tasks.executed.length, 1);
      await owner.stop();
    });

    it("executes what was under way outside of the next node if the node was lost, and as ever if it was stopped", async () => {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SLOW)));
      const isolations = (): unknown[] => bed.tasks.executed.map(({ isolation }) => isolation);
      const interruptions = async (): Promise<number> => {
        return (await bed.node.runs.history(runId, 1, 100)).filter(({ type }) => type === "attempt.interrupted").length;
      };
      await waitUntil("the attempt is under way", () => bed.tasks.executed.length === 1);
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await waitUntil("the attempt is under way after the stop", () => bed.tasks.executed.length === 2);
      assert.deepEqual([isolations(), await interruptions()], [["tier", "tier"], 0]);

      const lost = bed.node;
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await waitUntil("the attempt is under way after the loss", () => bed.tasks.executed.length === 3);
      assert.deepEqual([isolations(), await interruptions()], [["tier", "tier", "process"], 1]);
      await lost.stop();
    });

    it("repeats nothing of a recovery that was stored, and forgets nothing that was not", async () => {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SLOW)));
      await waitUntil("the attempt is under way", () => bed.tasks.executed.length === 1);
      const lost = bed.node;
      const faults = new MemoryFaults();
      faults.isDown = true;
      const unlucky = await startRunsNode(bed.store, bed.tasks, 60_000, faults);
      const stopped = unlucky.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      faults.isDown = false;
      await stopped;
      await lost.stop();
      await waitUntil("the attempt is under way again", () => bed.tasks.executed.length === 2);
      assert.equal(bed.tasks.executed[1]?.isolation, "process");
      const history = await bed.node.runs.history(runId, 1, 100);
      assert.equal(history.filter(({ type }) => type === "attempt.interrupted").length, 1);
    });

    it("executes suspects of several losses by turns, of which a loss counts only against those that have theirs", async () => {
      const workflowId = await bed.store.deploy(SLOW);
      const width = LIMITS.suspectsTogether;
      const runs = await Promise.all(Array.from({ length: width + 3 }, () => bed.node.runs.start(startOf(workflowId))));
      await waitUntil("the attempts are under way", () => bed.tasks.executed.length === runs.length);
      const lost = [];
      // In the third boot, the three that had no turn in the second, and one of the others.
      for (const expected of [runs.length, width, 4]) {
        bed.tasks.executed.length = 0;
        lost.push(bed.node);
        bed.node = await startRunsNode(bed.store, bed.tasks);
        await waitUntil(`${expected} attempts are under way again`, () => bed.tasks.executed.length === expected);
      }
      bed.release();
      for (const { runId } of runs) assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
      assert.equal(bed.tasks.executed.length, runs.length);
      for (const node of lost) await node.stop();
    });

    it("wakes runs by their timers and signals, which were only in the store", async () => {
      const waiting = await bed.node.runs.start(startOf(await bed.store.deploy("do: [{ rest: { wait: { milliseconds: 300 } } }]")));
      const asking = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await bed.node.runs.signal(asking.runId, { name: "go", payload: '"yes"', signalId: "" });
      assert.equal((await bed.node.runs.outcome(asking.runId, FOREVER)).output, '"yes"');
      assert.equal((await bed.node.runs.outcome(waiting.runId, FOREVER)).status, "completed");
      assert.equal(bed.store.memory.timers.size, 0);
    });
  });

  describe("when the store has a fault", () => {
    it("commits once although the answer to a commit was lost", async () => {
      const workflowId = await bed.store.deploy(CALLS);
      bed.node.faults.inject({ kind: "answerLost" }, { kind: "lost" }, { kind: "answerLost" });
      const outcome = await bed.node.runs.execute(startOf(workflowId, { n: 1 }), FOREVER);
      assert.equal(outcome.status, "completed");
      const history = await bed.node.runs.history(outcome.runId, 1, 100);
      assert.equal(history.filter((entry) => entry.type === "task.completed").length, 3);
    });

    it("reads a run back whose write was refused, and goes on", async () => {
      const workflowId = await bed.store.deploy(CALLS);
      const { runId } = await bed.node.runs.start(startOf(workflowId));
      bed.node.faults.inject({ kind: "refused" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
    });
  });

  describe("when a run's history is damaged", () => {
    async function damagedRun(): Promise<RunId> {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
      await bed.node.stop();
      const [row] = bed.store.memory.rows.get(runId) ?? [];
      assert.ok(row !== undefined);
      bed.store.memory.rows.set(runId, [{ ...row, entries: Buffer.from("not an entry") }]);
      bed.node = await startRunsNode(bed.store, bed.tasks);
      return runId;
    }

    it("quarantines that run, and the others go on", async () => {
      const runId = await damagedRun();
      await assert.rejects(bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }));
      await waitUntil("the run is quarantined in the store", () => bed.store.memory.runs.get(runId)?.status === "quarantined");
      await assert.rejects(bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }), code("RUN_QUARANTINED"));
      assert.equal((await bed.node.runs.execute(startOf(await bed.store.deploy(CALLS)), FOREVER)).status, "completed");
    }).timeout(30_000);

    it("leaves a run that has ended what it was", async () => {
      const { runId } = await bed.node.runs.execute(startOf(await bed.store.deploy(CALLS)), FOREVER);
      await bed.node.stop();
      const [row] = bed.store.memory.rows.get(runId) ?? [];
      assert.ok(row !== undefined);
      bed.store.memory.rows.set(runId, [{ ...row, entries: Buffer.from("not an entry") }]);
      bed.node = await startRunsNode(bed.store, bed.tasks);
      for (let asked = 0; asked < 10; asked += 1) await assert.rejects(bed.node.runs.get(runId));
      assert.equal(bed.store.memory.runs.get(runId)?.status, "completed");
    }).timeout(30_000);

    it("lets a quarantined run go on when it was mended and released", async () => {
      const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
      await bed.node.stop();
      const good = bed.store.memory.rows.get(runId) ?? [];
      bed.store.memory.rows.set(
        runId,
        good.map((row) => ({ ...row, entries: Buffer.from("not an entry") })),
      );
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await assert.rejects(bed.node.runs.release(runId), code("RUN_NOT_QUARANTINED"));
      await assert.rejects(bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" }));
      await waitUntil("the run is quarantined in the store", () => bed.store.memory.runs.get(runId)?.status === "quarantined");
      bed.store.memory.rows.set(runId, good);
      await bed.node.runs.release(runId);
      await bed.node.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      assert.equal((await bed.node.runs.outcome(runId, FOREVER)).status, "completed");
    }).timeout(30_000);
  });

  describe("callers of a run", () => {
    it("all get their answer when the run is quarantined", async () => {
      const workflowId = await bed.store.deploy(SIGNAL);
      const { runId } = await bed.node.runs.start(startOf(workflowId));
      const ending = assert.rejects(bed.node.runs.outcome(runId, FOREVER), code("RUN_QUARANTINED"));
      const watching = (async () => {
        for await (const _ of bed.node.runs.watch(runId, 1, FOREVER));
      })();
      const refused = assert.rejects(watching, code("RUN_QUARANTINED"));
      const asking = Array.from({ length: 60 }, (_, index) => bed.node.runs.signal(runId, { name: "other", payload: String(index), signalId: "" }));
      bed.node.faults.inject(...Array.from({ length: 8 }, () => ({ kind: "refused" as const })));
      const repeated = waitUntil("the run to be quarantined", async () => {
        // Refused or not: it only makes the run write once more.
        await bed.node.runs.signal(runId, { name: "other", payload: "0", signalId: "" }).catch(() => undefined);
        return bed.store.memory.runs.get(runId)?.status === "quarantined";
      });
      await Promise.all(
        asking.map((asked) =>
          asked.then(
            () => undefined,
            (error: unknown) => assert.ok(error instanceof Error),
          ),
        ),
      );
      await repeated;
      await Promise.all([ending, refused]);
      await assert.rejects(bed.node.runs.outcome(runId, FOREVER), code("RUN_QUARANTINED"));
    }).timeout(30_000);

    it("wait while the store is away, however many they are, and are all answered in order", async () => {
      const workflowId = await bed.store.deploy(SIGNAL);
      const { runId } = await bed.node.runs.start(startOf(workflowId));
      bed.node.faults.isDown = true;
      const signals = Array.from({ length: 1_500 }, (_, index) =>
        bed.node.runs.signal(runId, { name: "other", payload: String(index), signalId: "" }),
      );
      const views = Array.from({ length: 1_500 }, () => bed.node.runs.get(runId));
      bed.node.faults.isDown = false;
      await Promise.all([...signals, ...views]);
      const payloads = (await bed.node.runs.history(runId, 1, 10_000))
        .filter((entry) => entry.type === "signal.received")
        .map((entry) => JSON.parse(entry.details).payload as number);
      assert.deepEqual(
        payloads,
        Array.from({ length: 1_500 }, (_, index) => index),
      );
      const rows = bed.store.memory.rows.get(runId)?.length ?? 0;
      assert.ok(rows < 100, `signals that wait together are committed together: ${rows} rows`);
    }).timeout(30_000);

    it("learn at once that a run could not be begun, and nothing is left of it", async () => {
      const workflowId = await bed.store.deploy("do: [{ loop: { for: { in: '${ [range(300)] }' }, do: [{ one: { set: { n: 1 } } }] } }]");
      bed.node.faults.inject({ kind: "refused" });
      await assert.rejects(bed.node.runs.execute(startOf(workflowId), FOREVER), code("JOURNAL_REJECTED"));
      bed.node.faults.inject({ kind: "refused" });
      await assert.rejects(bed.node.runs.start(startOf(workflowId)), code("JOURNAL_REJECTED"));
      assert.equal(bed.store.memory.runs.size + bed.store.memory.rows.size, 0);
      assert.equal((await bed.node.runs.execute(startOf(workflowId), FOREVER)).status, "completed");
    });

    it("learn at once that something went wrong inside the run's actor", async () => {
      const workflowId = await bed.store.deploy(CALLS);
      // Nothing from outside gets here like this: it stands for a defect that shows when the facts are encoded.
      const labels = {
        get broken(): string {
          throw new Error("this label breaks the encoding");
        },
      };
      const broken = startOf(workflowId, 1, { labels });
      await assert.rejects(bed.node.runs.execute(broken, FOREVER));
      await assert.rejects(bed.node.runs.start(broken));
      assert.equal(bed.store.memory.runs.size, 0);
    });

    it("learn of an end that was committed just before the run's actor failed", async () => {
      const workflowId = await bed.store.deploy(SIGNAL);
      const { runId } = await bed.node.runs.start(startOf(workflowId));
      const ending = bed.node.runs.outcome(runId, FOREVER);
      const broken = bed.node.events.on("run.ended", () => {
        broken();
        throw new Error("an observer breaks the rule that it must not throw");
      });
      // Its answer may fall victim to the failure; the end that it caused must not.
      await bed.node.runs.signal(runId, { name: "go", payload: "3", signalId: "" }).catch(() => undefined);
      assert.equal((await ending).output, "3");
    });

    it("find nothing started if they had given up before", async () => {
      const workflowId = await bed.store.deploy(CALLS);
      const gone = AbortSignal.abort();
      await assert.rejects(bed.node.runs.execute(startOf(workflowId), gone), code("REQUEST_CANCELLED"));
      await assert.rejects(bed.node.runs.execute(startOf(workflowId, 1, { idempotencyKey: "k" }), gone), code("REQUEST_CANCELLED"));
      assert.equal(bed.store.memory.runs.size, 0);
    });
  });
});
