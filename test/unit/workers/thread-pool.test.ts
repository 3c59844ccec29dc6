import assert from "node:assert/strict";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { nextTurn } from "../../support/next-turn.ts";
import { virtualPool } from "../../support/virtual-pool.ts";
import { attemptOf, errorOf } from "../../support/worker-attempts.ts";

describe("thread pool", () => {
  it("sends what is submitted within a turn as one message to each thread, spread evenly", async () => {
    const { fakes, submit } = virtualPool({ threads: 2 });
    fakes.ready(0);
    fakes.ready(1);
    for (let index = 0; index < 10; index += 1) submit("plain");
    await nextTurn();
    assert.deepEqual(
      fakes.started.map((thread) => thread.batches.map((batch) => batch.requests.length)),
      [[5], [5]],
    );
  });

  it("queues what exceeds the threads' places, first in first out, and refuses what exceeds the queue", async () => {
    const { fakes, pool, submit, outcome } = virtualPool({ queueLength: 2 });
    const thread = fakes.ready(0);
    for (let index = 0; index < LIMITS.tasksPerThread; index += 1) submit("plain");
    const first = submit("plain");
    submit("plain");
    assert.throws(
      () => submit("plain"),
      (error) => error instanceof MaestroError && error.code === "TASK_QUEUE_FULL" && (error.retryAfterMs ?? 0) > 0,
    );
    assert.deepEqual(pool.state, { threads: 1, active: LIMITS.tasksPerThread, queued: 2 });
    thread.complete(1);
    await nextTurn();
    assert.equal(thread.executing("plain").at(-1), LIMITS.tasksPerThread + 1);
    thread.complete(LIMITS.tasksPerThread + 1);
    assert.equal(outcome(first).kind, "completed");
  });

  it("starts the most urgent of those that wait first", async () => {
    const { fakes, submit } = virtualPool();
    const thread = fakes.ready(0);
    for (let index = 0; index < LIMITS.tasksPerThread; index += 1) submit("plain");
    const waiting = [3, 5, 1, 3].map((priority) => [submit("plain", { priority }), priority]);
    assert.equal(waiting.length, 4);
    for (const id of [1, 2, 3, 4]) thread.complete(id);
    await nextTurn();
    const base = LIMITS.tasksPerThread;
    assert.deepEqual(thread.executing("plain").slice(-4), [base + 3, base + 1, base + 4, base + 2]);
  });

  it("tells once when half of the queue is full", () => {
    const { events, submit } = virtualPool({ queueLength: 10 });
    const seen: string[] = [];
    events.on("limit.near", ({ limit, subject, value, bound }) => seen.push(`${limit} ${value}/${bound} ${subject}`));
    for (let index = 0; index < 10; index += 1) submit("plain");
    assert.deepEqual(seen, ["taskQueueLength 6/10 tasks of the tier thread"]);
  });

  it("settles an unknown handler as such, later", async () => {
    const { submit, outcomes, outcome } = virtualPool();
    const id = submit("missing");
    assert.equal(outcomes.size, 0);
    await nextTurn();
    assert.equal(errorOf(outcome(id)).kind, "unknown");
  });

  it("settles an attempt that waited too long, and never starts it", async () => {
    const { fakes, submit, outcome, pass } = virtualPool();
    const id = submit("hurried");
    await pass(150);
    assert.equal(errorOf(outcome(id)).timeout, "scheduleToStart");
    fakes.ready(0);
    await nextTurn();
    assert.deepEqual(fakes.at(0).executing("hurried"), []);
  });

  it("tells of a timeout only when the thread has let go of the attempt", async () => {
    const { fakes, submit, outcome, outcomes, pass } = virtualPool();
    const thread = fakes.ready(0);
    const id = submit("bounded");
    await pass(150);
    assert.equal(outcomes.size, 0);
    assert.deepEqual(thread.requests.at(-1)?.kind, "cancel");
    thread.complete(1);
    assert.equal(errorOf(outcome(id)).timeout, "startToClose");
  });

  it("lets an answer win that arrived while the node stood still", async () => {
    const { clock, fakes, submit, outcome } = virtualPool();
    const thread = fakes.ready(0);
    const id = submit("bounded");
    await nextTurn();
    clock.advance(10_000);
    thread.complete(1);
    await nextTurn();
    assert.equal(outcome(id).kind, "completed");
    assert.equal(thread.terminated, false);
  });

  it("times out by silence, which heartbeats end", async () => {
    const { fakes, submit, outcome, pass } = virtualPool();
    const thread = fakes.ready(0);
    const id = submit("beating");
    for (let count = 0; count < 5; count += 1) {
      await pass(80);
      thread.reply({ kind: "heartbeat", id: 1 });
    }
    assert.ok(!thread.requests.some((request) => request.kind === "cancel"));
    await pass(150);
    thread.complete(1);
    assert.equal(errorOf(outcome(id)).timeout, "heartbeat");
  });

  it("cancels a queued attempt without a thread", async () => {
    const { pool, submit, outcome } = virtualPool();
    const id = submit("plain");
    pool.cancel(id);
    await nextTurn();
    assert.deepEqual(outcome(id), { kind: "cancelled" });
    assert.equal(pool.state.queued, 0);
  });

  it("stops: refuses, cancels what waits, waits for what runs, cancels what is left", async () => {
    const { fakes, pool, submit, outcome, pass } = virtualPool();
    const thread = fakes.ready(0);
    for (let index = 0; index < LIMITS.tasksPerThread - 2; index += 1) submit("plain");
    const finishing = submit("plain");
    const stuck = submit("plain");
    const waiting = submit("plain");
    await nextTurn();
    const stopped = pool.stop(1_000);
    assert.deepEqual(outcome(waiting), { kind: "cancelled" });
    assert.throws(
      () => submit("plain"),
      (error) => error instanceof MaestroError && error.code === "NODE_STOPPING",
    );
    thread.complete(LIMITS.tasksPerThread - 1);
    assert.equal(outcome(finishing).kind, "completed");
    await pass(1_100);
    assert.equal(thread.terminated, true);
    thread.end("terminated");
    await stopped;
    assert.deepEqual(outcome(stuck), { kind: "cancelled" });
    assert.equal(fakes.started.length, 1);
  });

  it("refuses to start with the file and the reason that a thread gives", async () => {
    const { fakes, pool } = virtualPool();
    fakes.endsWhenTold = true;
    const started = pool.started();
    fakes.at(0).reply({ kind: "refused", file: "/handlers/a.ts", reason: "it is broken" });
    fakes.at(0).end("exit");
    await assert.rejects(
      started,
      (error) => error instanceof MaestroError && error.code === "HANDLER_INVALID" && error.facts.file === "/handlers/a.ts",
    );
  });

  it("refuses to start if a thread dies, or never ends, while it loads", async () => {
    const dying = virtualPool();
    dying.fakes.endsWhenTold = true;
    const diedEarly = dying.pool.started();
    dying.fakes.at(0).end("exit code 0");
    await assert.rejects(diedEarly, /while it loaded them: exit code 0/);
    const hanging = virtualPool();
    hanging.fakes.endsWhenTold = true;
    const neverReady = hanging.pool.started();
    hanging.clock.advance(31_000);
    await assert.rejects(neverReady, /not loaded within 30000 ms/);
  });

  it("tells everyone else when one listener throws", async () => {
    const { fakes, pool, submit, outcome } = virtualPool();
    const thread = fakes.ready(0);
    const defect = new Error("the listener is defective");
    const uncaught = new Promise((resolve) => {
      const others = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const other of others) process.on("uncaughtException", other);
        resolve(error);
      });
    });
    pool.submit(attemptOf("plain"), () => {
      throw defect;
    });
    const other = submit("plain");
    await nextTurn();
    const ended = (id: number) => ({ kind: "ended", id, outcome: { kind: "completed", output: "1" } }) as const;
    thread.reply(ended(1), ended(2));
    assert.equal(outcome(other).kind, "completed");
    assert.equal(await uncaught, defect);
  });
});
