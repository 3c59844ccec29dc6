import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { nextTurn } from "../../support/next-turn.ts";
import { virtualPool } from "../../support/virtual-pool.ts";
import { errorOf } from "../../support/worker-attempts.ts";

describe("thread pool, threads that are lost", () => {
  it("ends the thread of an attempt that ignores its cancellation; the neighbour is lost, not failed", async () => {
    const { fakes, pool, submit, outcome, lost, pass } = virtualPool();
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
    const { fakes, submit, outcome, pass } = virtualPool();
    const thread = fakes.ready(0);
    const looping = submit("plain");
    const victim = submit("bounded");
    await pass(1_400, false);
    assert.equal(thread.terminated, true);
    thread.end("terminated", 1);
    assert.equal(errorOf(outcome(looping)).kind, "crashed");
    assert.match(errorOf(outcome(looping)).message, /did not answer .*: an endless loop, .* or memory that ran short/, "both causes look the same");
    assert.equal(errorOf(outcome(victim)).kind, "lost");
  });

  it("blames the one that was executing even if only the patience with its victim has run out", async () => {
    const { clock, fakes, submit, outcome, pass } = virtualPool();
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
    const { fakes, submit, pass } = virtualPool();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(59_000, false);
    assert.equal(thread.terminated, false);
    await pass(2_000, false);
    assert.equal(thread.terminated, true);
  });

  it("asks a thread that has answered everything so far whether it still answers", async () => {
    const { fakes, submit, pass } = virtualPool();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(1_000);
    const asked = thread.batches.length;
    assert.ok(asked > 1 && asked < 10, `${asked} batches in a second`);
    await pass(62_000, false);
    assert.equal(thread.terminated, true);
  });

  it("judges no thread after the node itself stood still", async () => {
    const { clock, fakes, submit, pass } = virtualPool();
    const thread = fakes.ready(0);
    submit("plain");
    await pass(100, false);
    clock.advance(100_000);
    await nextTurn();
    await pass(1_000, false);
    assert.equal(thread.terminated, false);
  });

  it("prefers a thread that answers to one that does not", async () => {
    const { fakes, submit, pass } = virtualPool({ threads: 2 });
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

  it("executes each suspect alone after a loss that nobody can explain: the guilty is named, the innocent complete", async () => {
    const { fakes, pool, submit, outcome, pass } = virtualPool();
    const shared = fakes.ready(0);
    const keys = ["innocent", "guilty"];
    const together = keys.map((idempotencyKey) => submit("plain", { idempotencyKey }));
    await nextTurn();
    shared.end("the heap is full");
    for (const id of together) assert.equal(errorOf(outcome(id)).kind, "lost");

    fakes.ready(1);
    const [innocent = "", guilty = ""] = keys.map((idempotencyKey) => submit("plain", { idempotencyKey }));
    const bystander = submit("plain");
    await nextTurn();
    assert.equal(fakes.at(1).executing("plain").length, 1, "the shared thread has the bystander only");
    const solitary = fakes.ready(2);
    await nextTurn();
    assert.deepEqual([solitary.executing("plain").length, pool.state.queued], [1, 1]);
    solitary.complete(solitary.executing("plain")[0] ?? 0);
    await nextTurn();
    assert.deepEqual([solitary.executing("plain").length, pool.state.queued], [2, 0]);
    solitary.end("the heap is full");
    assert.equal(outcome(innocent).kind, "completed");
    assert.equal(errorOf(outcome(guilty)).kind, "crashed");
    fakes.at(1).complete(fakes.at(1).executing("plain")[0] ?? 0);
    assert.equal(outcome(bystander).kind, "completed");
    assert.equal(pool.state.threads, 2, "the thread for suspects waits for another one");
    await pass(2_000);
    assert.equal(pool.state.threads, 1, "the thread for suspects ended a while after the last of them");
  });

  it("keeps the next attempt of a task that crashed away from others", async () => {
    const { fakes, submit } = virtualPool();
    fakes.ready(0);
    submit("plain", { idempotencyKey: "guilty" });
    await nextTurn();
    fakes.at(0).end("process.exit", 1);
    const shared = fakes.ready(1);
    submit("plain", { idempotencyKey: "guilty", attempt: 2 });
    const solitary = fakes.ready(2);
    await nextTurn();
    assert.deepEqual([shared.executing("plain").length, solitary.executing("plain").length], [0, 1]);
  });

  it("executes a task alone that lost its thread to its neighbours again and again", async () => {
    const { fakes, submit, outcome } = virtualPool();
    for (let loss = 0; loss < LIMITS.lossesPerTask; loss += 1) {
      const thread = fakes.ready(loss);
      const id = submit("plain", { idempotencyKey: "unlucky" });
      submit("plain");
      await nextTurn();
      thread.end("process.exit", thread.executing("plain")[1]);
      assert.equal(errorOf(outcome(id)).kind, "lost");
    }
    const shared = fakes.ready(LIMITS.lossesPerTask);
    submit("plain", { idempotencyKey: "unlucky" });
    await nextTurn();
    assert.equal(shared.executing("plain").length, 0);
  });

  it("waits longer before each replacement of threads that keep dying", async () => {
    const { fakes, lost, pass } = virtualPool();
    for (let count = 0; count < 200; count += 1) {
      fakes.started.at(-1)?.end("dies at once");
      await pass(50);
    }
    assert.ok(lost.length < 20, `${lost.length} losses in ten seconds`);
  });
});
