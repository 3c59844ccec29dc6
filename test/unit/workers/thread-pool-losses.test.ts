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

  it("counts a task as crashed that is lost again and again", async () => {
    const { fakes, submit, outcome, pass } = virtualPool();
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
    const { fakes, lost, pass } = virtualPool();
    for (let count = 0; count < 200; count += 1) {
      fakes.started.at(-1)?.end("dies at once");
      await pass(50);
    }
    assert.ok(lost.length < 20, `${lost.length} losses in ten seconds`);
  });
});
