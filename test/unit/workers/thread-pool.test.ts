import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { EventHub, type RuntimeEvents } from "../../../runtime/events.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { AttemptOutcome, HandlerInfo } from "../../../runtime/workers/pool.ts";
import { ThreadPool } from "../../../runtime/workers/thread-pool.ts";
import { FakeThreads } from "../../support/fake-threads.ts";
import { attemptOf, errorOf } from "../../support/worker-attempts.ts";

const HANDLERS: readonly HandlerInfo[] = [
  { name: "plain", file: "", options: { tier: "thread" } },
  { name: "bounded", file: "", options: { tier: "thread", startToCloseMs: 100 } },
  { name: "beating", file: "", options: { tier: "thread", heartbeatMs: 100 } },
  { name: "hurried", file: "", options: { tier: "thread", scheduleToStartMs: 100 } },
];

/** A pool on a virtual clock, and everything that its attempts ended with. */
function setUp({ threads = 1, queueLength = 1_000 } = {}) {
  const clock = virtualClock();
  const events = new EventHub();
  const fakes = new FakeThreads(HANDLERS);
  const lost: RuntimeEvents["pool.threadLost"][] = [];
  events.on("pool.threadLost", (event) => lost.push(event));
  const handlers = new Map(HANDLERS.map((handler) => [handler.name, handler]));
  const patience = { cancelGraceMs: 5_000, blockedMs: 1_000, unresponsiveMs: 60_000 };
  const pool = new ThreadPool({ clock, events, tier: "thread", threads, startThread: fakes.start, handlers, queueLength, ...patience });
  const outcomes = new Map<string, AttemptOutcome>();
  const submit = (handler: string, more = {}): string => {
    const attempt = attemptOf(handler, null, more);
    pool.submit(attempt, (outcome) => {
      assert.ok(!outcomes.has(attempt.id), "an attempt settles once");
      outcomes.set(attempt.id, outcome);
    });
    return attempt.id;
  };
  const outcome = (id: string): AttemptOutcome => {
    const found = outcomes.get(id);
    assert.ok(found, `${id} has settled`);
    return found;
  };
  /** Lets time pass in steps in which threads answer pings, as threads that are well do. */
  const pass = async (durationMs: number, answering = true): Promise<void> => {
    for (let left = durationMs; left > 0; left -= 50) {
      clock.advance(Math.min(50, left));
      await nextTurn();
      await nextTurn();
      if (answering) for (const thread of fakes.started) thread.reply();
    }
  };
  return { clock, events, fakes, pool, submit, outcome, outcomes, lost, pass };
}

describe("thread pool", () => {
  it("sends what is submitted within a turn as one message to each thread, spread evenly", async () => {
    const { fakes, submit } = setUp({ threads: 2 });
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
    const { fakes, pool, submit, outcome } = setUp({ queueLength: 2 });
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

  it("settles an unknown handler as such, later", async () => {
    const { submit, outcomes, outcome } = setUp();
    const id = submit("missing");
    assert.equal(outcomes.size, 0);
    await nextTurn();
    assert.equal(errorOf(outcome(id)).kind, "unknown");
  });

  it("settles an attempt that waited too long, and never starts it", async () => {
    const { fakes, submit, outcome, pass } = setUp();
    const id = submit("hurried");
    await pass(150);
    assert.equal(errorOf(outcome(id)).timeout, "scheduleToStart");
    fakes.ready(0);
    await nextTurn();
    assert.deepEqual(fakes.at(0).executing("hurried"), []);
  });

  it("tells of a timeout only when the thread has let go of the attempt", async () => {
    const { fakes, submit, outcome, outcomes, pass } = setUp();
    const thread = fakes.ready(0);
    const id = submit("bounded");
    await pass(150);
    assert.equal(outcomes.size, 0);
    assert.deepEqual(thread.requests.at(-1)?.kind, "cancel");
    thread.complete(1);
    assert.equal(errorOf(outcome(id)).timeout, "startToClose");
  });

  it("lets an answer win that arrived while the node stood still", async () => {
    const { clock, fakes, submit, outcome } = setUp();
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
    const { fakes, submit, outcome, pass } = setUp();
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
    const { pool, submit, outcome } = setUp();
    const id = submit("plain");
    pool.cancel(id);
    await nextTurn();
    assert.deepEqual(outcome(id), { kind: "cancelled" });
    assert.equal(pool.state.queued, 0);
  });

  it("ends the thread of an attempt that ignores its cancellation; the neighbour is lost, not failed", async () => {
    const { fakes, pool, submit, outcome, lost, pass } = setUp();
    const thread = fakes.ready(0);
    const stubborn = submit("plain");
    const neighbour = submit("plain");
    await nextTurn();
    pool.cancel(stubborn);
    await pass(4_900);
    assert.equal(thread.terminated, false);
    await pass(200);
    assert.equal(thread.terminated, true);
    thread.end("terminated");
    assert.deepEqual(outcome(stubborn), { kind: "cancelled" });
    assert.equal(errorOf(outcome(neighbour)).kind, "lost");
    assert.equal(lost[0]?.tasks, 2);
    assert.equal(fakes.started.length, 2);
  });

  it("ends a thread that does not answer while an attempt exceeds its bound, and blames the one that was executing", async () => {
    const { fakes, submit, outcome, pass } = setUp();
    const thread = fakes.ready(0);
    const looping = submit("plain");
    const victim = submit("bounded");
    await pass(1_400, false);
    assert.equal(thread.terminated, true);
    thread.end("terminated", 1);
    assert.equal(errorOf(outcome(looping)).kind, "crashed");
    assert.equal(errorOf(outcome(victim)).kind, "lost");
  });

  it("blames the one that was executing even if only the patience with its victim has run out", async () => {
    const { clock, fakes, submit, outcome, pass } = setUp();
    const thread = fakes.ready(0);
    const looping = submit("plain");
    const victim = submit("bounded");
    await pass(150, false);
    clock.advance(6_000);
    await nextTurn();
    assert.equal(thread.terminated, true);
    thread.end("terminated", 1);
    assert.equal(errorOf(outcome(looping)).kind, "crashed");
    assert.equal(errorOf(outcome(victim)).kind, "lost");
  });

  it("lets a thread compute for long while nobody on it is overdue, but not for ever", async () => {
    const { fakes, submit, pass } = setUp();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(59_000, false);
    assert.equal(thread.terminated, false);
    await pass(2_000, false);
    assert.equal(thread.terminated, true);
  });

  it("asks a thread that has answered everything so far whether it still answers", async () => {
    const { fakes, submit, pass } = setUp();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(1_000);
    const asked = thread.batches.length;
    assert.ok(asked > 1 && asked < 10, `${asked} batches in a second`);
    await pass(62_000, false);
    assert.equal(thread.terminated, true);
  });

  it("judges no thread after the node itself stood still", async () => {
    const { clock, fakes, submit, pass } = setUp();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(100, false);
    clock.advance(100_000);
    await nextTurn();
    await pass(1_000, false);
    assert.equal(thread.terminated, false);
  });

  it("prefers a thread that answers to one that does not", async () => {
    const { fakes, submit, pass } = setUp({ threads: 2 });
    fakes.ready(0);
    const answering = fakes.ready(1);
    submit("plain");
    submit("plain");
    await pass(600, false);
    answering.reply();
    for (let count = 0; count < 10; count += 1) submit("plain");
    await nextTurn();
    assert.equal(answering.executing("plain").length, 11);
  });

  it("counts a task as crashed that is lost again and again", async () => {
    const { fakes, submit, outcome, pass } = setUp();
    const kinds: string[] = [];
    for (let loss = 0; loss <= LIMITS.lossesPerTask; loss += 1) {
      const thread = fakes.ready(loss);
      const id = submit("plain", { idempotencyKey: "the same" });
      submit("plain");
      await nextTurn();
      thread.end("killed");
      kinds.push(errorOf(outcome(id)).kind);
      await pass(5_000);
    }
    assert.deepEqual(kinds, ["lost", "lost", "crashed"]);
  });

  it("waits longer before each replacement of threads that keep dying", async () => {
    const { fakes, lost, pass } = setUp();
    for (let count = 0; count < 200; count += 1) {
      fakes.started.at(-1)?.end("dies at once");
      await pass(50);
    }
    assert.ok(lost.length < 20, `${lost.length} losses in ten seconds`);
  });

  it("stops: refuses, cancels what waits, waits for what runs, cancels what is left", async () => {
    const { fakes, pool, submit, outcome, pass } = setUp();
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
    const { fakes, pool } = setUp();
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
    const dying = setUp();
    dying.fakes.endsWhenTold = true;
    const diedEarly = dying.pool.started();
    dying.fakes.at(0).end("exit code 0");
    await assert.rejects(diedEarly, /while it loaded them: exit code 0/);
    const hanging = setUp();
    hanging.fakes.endsWhenTold = true;
    const neverReady = hanging.pool.started();
    hanging.clock.advance(31_000);
    await assert.rejects(neverReady, /not loaded within 30000 ms/);
  });

  it("tells everyone else when one listener throws", async () => {
    const { fakes, pool, submit, outcome } = setUp();
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
