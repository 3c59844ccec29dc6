import assert from "node:assert/strict";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool } from "../support/worker-pools.ts";

const events = new EventHub();
const lost: RuntimeEvents["pool.threadLost"][] = [];
events.on("pool.threadLost", (event) => lost.push(event));

describe("worker pool, thread tier", () => {
  let pool: WorkerPool;
  const run = (handler: string, input: unknown = null): Promise<AttemptOutcome> => execute(pool, attemptOf(handler, input));

  before(async () => {
    pool = await startTestPool({ events });
  });
  after(() => pool.stop(0));
  beforeEach(() => {
    lost.length = 0;
  });

  it("executes thousands of attempts, each with its own input and result, in order", async () => {
    const order: number[] = [];
    const attempts = Array.from({ length: 5_000 }, async (_, index) => {
      const result = resultOf(await run("echo", { index }));
      order.push(index);
      return result;
    });
    assert.deepEqual(
      await Promise.all(attempts),
      attempts.map((_, index) => ({ index })),
    );
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.deepEqual(pool.state, { threads: 1, active: 0, queued: 0 });
  });

  it("hands the handler what the attempt says", async () => {
    const facts = { attempt: 3, idempotencyKey: "key", runId: "run-9", task: "/do/1/x", traceParent: "00-a-b-01" };
    assert.deepEqual(resultOf(await execute(pool, attemptOf("describe-context", null, facts))), { ...facts, aborted: false });
  });

  it("takes undefined for null", async () => {
    assert.deepEqual(await run("nothing"), { kind: "completed", output: "null" });
  });

  it("tells what was thrown", async () => {
    const thrown = errorOf(await run("fail", "no luck"));
    assert.deepEqual([thrown.kind, thrown.message], ["thrown", "no luck"]);
    assert.match(thrown.stack ?? "", /ordinary\.ts/);
    const { stack, ...refused } = errorOf(await run("fail-well", { retryable: false }));
    assert.ok(stack);
    assert.deepEqual(refused, {
      kind: "refused",
      message: "out of stock",
      type: "https://example.org/stock",
      status: 409,
      title: "Stock",
      details: '{"left":0}',
    });
  });

  for (const [handler, reason] of [
    ["returns-huge", /has 3145730 bytes as JSON; at most 2097152/],
    ["returns-function", /not JSON: it is a function/],
    ["returns-bigint", /not JSON: .*BigInt/],
    ["returns-cycle", /not JSON: .*circular/],
  ] as const) {
    it(`fails an attempt whose result is of no use: ${handler}`, async () => {
      const error = errorOf(await run(handler));
      assert.equal(error.kind, "result");
      assert.match(error.message, reason);
    });
  }

  for (const [handler, message] of [
    ["throws-later", "uncaught error: out of a timer"],
    ["rejects-aside", "unhandled rejection: nobody awaited this"],
  ] as const) {
    it(`fails the attempt alone that an uncaught error comes from, and keeps the thread: ${handler}`, async () => {
      const thread = resultOf(await run("thread-id"));
      const neighbour = attemptOf("wait-for-cancel");
      const neighbourOutcome = execute(pool, neighbour);
      const error = errorOf(await run(handler));
      assert.deepEqual([error.kind, error.message], ["crashed", message]);
      pool.cancel(neighbour.id);
      assert.deepEqual(await neighbourOutcome, { kind: "cancelled" });
      assert.equal(resultOf(await run("thread-id")), thread);
      assert.equal(lost.length, 0);
    });
  }

  it("keeps the thread when an abort listener throws, or an attempt throws after its end", async () => {
    const lines: string[] = [];
    const stop = events.on("task.log", (line) => lines.push(line.message));
    const attempt = attemptOf("throws-at-abort");
    const outcome = execute(pool, attempt);
    assert.equal(resultOf(await run("throws-after-its-end")), null);
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    await waitUntil("the late error to be told", () => lines.length > 0);
    stop();
    assert.deepEqual(lines, ["uncaught error of /do/0/step in run run-1, after its end: too late"]);
    assert.equal(lost.length, 0);
  });

  it("survives process.exit: the culprit has crashed, its neighbour is lost, another thread goes on", async () => {
    const neighbour = run("never-ends");
    const culprit = errorOf(await run("exits"));
    assert.deepEqual([culprit.kind, culprit.message], ["crashed", "process.exit(3) was called"]);
    assert.equal(errorOf(await neighbour).kind, "lost");
    assert.deepEqual(lost, [{ tier: "thread", reason: "process.exit(3) was called", tasks: 2 }]);
    assert.equal(resultOf(await run("echo", 1)), 1);
  });

  it("delivers results that were on their way when the thread died", async () => {
    const [echo, exits] = await Promise.all([run("echo", 1), run("exits")]);
    assert.equal(resultOf(echo), 1);
    assert.equal(errorOf(exits).kind, "crashed");
  });

  it("cancels what listens to its signal, and keeps the thread", async () => {
    const attempt = attemptOf("wait-for-cancel");
    const outcome = execute(pool, attempt);
    await run("noop");
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    assert.equal(lost.length, 0);
  });

  it("cancels what ignores its signal by ending the thread", async () => {
    const attempt = attemptOf("never-ends");
    const outcome = execute(pool, attempt);
    await run("noop");
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    assert.match(lost[0]?.reason ?? "", /never-ends went on for 300 ms after its signal was aborted/);
  });

  it("cancels an endless loop by ending the thread, and lets the neighbour off", async () => {
    await run("noop");
    const neighbour = run("wait-for-cancel");
    const attempt = attemptOf("loop-forever");
    const outcome = execute(pool, attempt);
    await waitUntil("the loop to have the thread", () => pool.state.active === 2);
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    assert.equal(errorOf(await neighbour).kind, "lost");
  });

  it("times out an endless loop", async () => {
    const error = errorOf(await run("loop-bounded"));
    assert.deepEqual([error.kind, error.timeout], ["timedOut", "startToClose"]);
  });

  it("blames the loop, not the neighbour that it made exceed its bound", async () => {
    await run("noop");
    const loop = run("loop-forever");
    const victim = run("never-ends-bounded");
    assert.equal(errorOf(await loop).kind, "crashed");
    assert.equal(errorOf(await victim).kind, "lost");
  });

  it("times out a handler that stops at its abort without ending the thread", async () => {
    assert.equal(errorOf(await run("never-ends-bounded")).timeout, "startToClose");
    assert.equal(lost.length, 0);
  });

  it("times out by silence after the last heartbeat", async () => {
    const started = performance.now();
    assert.equal(errorOf(await run("beat", { beats: 6 })).timeout, "heartbeat");
    assert.ok(performance.now() - started >= 6 * 40 + 150, "heartbeats have kept it alive");
  });

  it("times out what waits too long for a thread", async () => {
    await run("noop");
    const filling = Array.from({ length: LIMITS.tasksPerThread }, () => attemptOf("wait-for-cancel"));
    const filled = filling.map((attempt) => execute(pool, attempt));
    assert.equal(errorOf(await run("hurried")).timeout, "scheduleToStart");
    for (const attempt of filling) pool.cancel(attempt.id);
    await Promise.all(filled);
    assert.equal(resultOf(await run("hurried")), "in time");
  });

  it("turns the handler's log and console into events, bounded", async () => {
    const lines: RuntimeEvents["task.log"][] = [];
    const stop = events.on("task.log", (line) => lines.push(line));
    await run("talk", { bytes: 10_000 });
    stop();
    const [said, printed, long] = lines;
    assert.deepEqual(said, { level: "info", runId: "run-1", task: "/do/0/step", attempt: 1, message: "said", data: { answer: 42 } });
    assert.deepEqual([printed?.level, printed?.message, printed?.runId], ["warn", "printed 7", "run-1"]);
    assert.match(long?.message ?? "", /^x{8192}… \(1808 bytes cut\)$/);
  });

  it("drops and counts the lines of a handler that writes without end", async () => {
    const lines: string[] = [];
    const stop = events.on("task.log", (line) => lines.push(line.message));
    await run("chatters", { lines: LIMITS.logLinesPerTurn + 234 });
    stop();
    assert.equal(lines.length, LIMITS.logLinesPerTurn + 1);
    assert.equal(lines.at(-1), "234 log lines of tasks were dropped");
  });

  it("tells of the end of each attempt, and of its numbers now and then", async () => {
    const ended: RuntimeEvents["task.ended"][] = [];
    let changes = 0;
    const stops = [events.on("task.ended", (event) => ended.push(event)), events.on("pool.changed", () => (changes += 1))];
    await Promise.all([run("noop"), run("fail", "x"), ...Array.from({ length: 100 }, () => run("echo"))]);
    await waitUntil("a change to be told", () => changes > 0);
    for (const stop of stops) stop();
    assert.equal(ended.length, 102);
    assert.equal(ended.find(({ handler }) => handler === "noop")?.outcome, "completed");
    assert.equal(ended.find(({ handler }) => handler === "fail")?.outcome, "thrown");
    assert.ok(changes <= 2, `${changes} changes told`);
  });
});
