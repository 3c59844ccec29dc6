/** The way of attempts to the pool and back. */
import assert from "node:assert/strict";
import type { AttemptView } from "../../../actors/run/core/effects.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import { call, runId, dispatcherWorld as setUp } from "../../support/dispatcher-world.ts";

describe("the dispatcher", () => {
  it("executes an attempt once, however often it is asked for while it is under way", () => {
    const { dispatcher, submitted, settled } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    dispatcher.dispatch(runId, call, "{}", "");
    assert.equal(submitted.length, 1);
    assert.equal(submitted[0]?.attempt.idempotencyKey, `${runId}:2`);
    submitted[0]?.settle({ kind: "completed", output: "1" });
    assert.deepEqual(settled, [{ kind: "completed", output: "1" }]);
  });

  it("gives every attempt of a task the same idempotency key", () => {
    const { dispatcher, submitted } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    dispatcher.dispatch(runId, { ...call, attempt: 2 }, "{}", "");
    assert.equal(submitted[0]?.attempt.idempotencyKey, submitted[1]?.attempt.idempotencyKey);
    assert.notEqual(submitted[0]?.attempt.id, submitted[1]?.attempt.id);
  });

  it("has an attempt wait where its document says, else where its handler says", () => {
    const { dispatcher, submitted, handlers, slots } = setUp();
    const placeOf = (scheduling: AttemptView["scheduling"], attempt: number): unknown => {
      dispatcher.dispatch(runId, { ...call, attempt, scheduling }, "{}", "");
      slots.asked.at(-1)?.begin();
      const { queue, priority, concurrency } = submitted.at(-1)?.attempt ?? {};
      return { queue, priority, concurrency };
    };
    assert.deepEqual(placeOf(undefined, 1), { queue: "default", priority: 3, concurrency: undefined });
    const limit = { key: "handler/charge", limit: 2 };
    handlers.set("charge", { name: "charge", file: "", options: { tier: "thread", queue: "bank", priority: 5, concurrency: { limit: 2 } } });
    assert.deepEqual(placeOf(undefined, 2), { queue: "bank", priority: 5, concurrency: limit });
    assert.deepEqual(placeOf({ priority: 1 }, 3), { queue: "bank", priority: 1, concurrency: limit });
    const concurrency = { key: "ada", limit: 1 };
    assert.deepEqual(placeOf({ queue: "urgent", concurrency }, 4), { queue: "urgent", priority: 5, concurrency });
  });

  it("offers an attempt again that the pool had no place for", () => {
    const { dispatcher, submitted, world, clock } = setUp();
    world.full = true;
    dispatcher.dispatch(runId, call, "{}", "");
    world.full = false;
    clock.advance(50);
    assert.equal(submitted.length, 1);
  });

  it("brings an outcome again that the run could not take", () => {
    const { dispatcher, submitted, settled, world, clock } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    world.runTakes = false;
    submitted[0]?.settle({ kind: "completed", output: "1" });
    world.runTakes = true;
    clock.advance(1_000);
    assert.equal(settled.length, 1);
    dispatcher.over(runId, call, "completed", undefined);
    clock.advance(60_000);
    assert.equal(settled.length, 1, "an outcome whose commit is confirmed is not offered again");
    assert.equal(dispatcher.size, 0);
  });

  it("gives a run that asks for an attempt which has ended its outcome, and executes nothing", () => {
    const { dispatcher, submitted, settled } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    submitted[0]?.settle({ kind: "completed", output: "1" });
    dispatcher.dispatch(runId, call, "{}", "");
    assert.deepEqual([submitted.length, settled.length], [1, 2]);
  });

  it("offers an attempt again at which the pool itself failed, and says so", () => {
    const { dispatcher, submitted, settled, troubles, world, clock } = setUp();
    world.broken = true;
    dispatcher.dispatch(runId, call, "{}", "");
    world.broken = false;
    clock.advance(1_000);
    assert.deepEqual([submitted.length, settled], [1, []]);
    assert.deepEqual(troubles, [`attempt ${runId}:2:1 could not be submitted: Error: no such thing`]);
  });

  it("makes a failure that may be retried of an attempt at which the pool fails for long", () => {
    const { dispatcher, settled, troubles, world, clock } = setUp();
    world.broken = true;
    dispatcher.dispatch(runId, call, "{}", "");
    clock.advance(60_000);
    assert.deepEqual(settled[0], { kind: "failed", error: { kind: "crashed", message: "no such thing" } });
    assert.equal(troubles.length, 10);
  });

  it("has an attempt executed again, whose shard came back, when its cancelled execution has ended", async () => {
    const { dispatcher, submitted, settled, cancelled, clock } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    const left = dispatcher.leave(ShardSet.all, 50);
    clock.advance(50);
    await left;
    dispatcher.dispatch(runId, call, "{}", "");
    assert.deepEqual([cancelled.length, submitted.length], [1, 1]);
    clock.advance(4_000);
    submitted[0]?.settle({ kind: "cancelled" });
    assert.deepEqual([submitted.length, settled], [2, []], "the outcome of the execution that was cancelled is nobody's");
    submitted[1]?.settle({ kind: "completed", output: "1" });
    assert.deepEqual(settled, [{ kind: "completed", output: "1" }]);
  });

  it("offers nothing any more once it is closed", () => {
    const { dispatcher, submitted, settled, clock } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    dispatcher.close();
    submitted[0]?.settle({ kind: "completed", output: "1" });
    clock.advance(60_000);
    assert.deepEqual(settled, []);
    assert.equal(clock.untilNext(), undefined);
  });

  it("executes an attempt again that went down with a neighbour, without telling the run", () => {
    const { dispatcher, submitted, settled } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    submitted[0]?.settle({ kind: "failed", error: { kind: "lost", message: "the thread went down" } });
    assert.equal(submitted.length, 2);
    assert.deepEqual(settled, []);
  });

  it("cancels what the run abandons and keeps its outcome from it", () => {
    const { dispatcher, submitted, cancelled, settled } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    dispatcher.abandon(runId, 2, 1);
    submitted[0]?.settle({ kind: "cancelled" });
    assert.deepEqual(cancelled, [submitted[0]?.attempt.id]);
    assert.deepEqual(settled, []);
  });

  it("notes the beginning and the end of an attempt in the ledger, under one creation time", () => {
    const { dispatcher, records } = setUp();
    dispatcher.dispatch(runId, call, "{}", "");
    dispatcher.over(runId, call, "failed", "boom");
    assert.deepEqual(
      records.map(({ status, createdAtMs, errorMessage }) => [status, createdAtMs, errorMessage]),
      [
        ["scheduled", 5, undefined],
        ["failed", 5, "boom"],
      ],
    );
  });

  describe("suspects of lost nodes", () => {
    const other: AttemptView = { ...call, frame: 3 };

    it("take turns: the next is asked for when the one before is over or abandoned", () => {
      const { dispatcher, asked, submitted } = setUp();
      dispatcher.awaitTurn(runId, call, 1);
      dispatcher.awaitTurn(runId, other, 1);
      dispatcher.awaitTurn(runId, { ...call, frame: 4 }, 1);
      assert.deepEqual(
        asked.map(({ id }) => id),
        ["2:1"],
      );
      dispatcher.dispatch(runId, call, "{}", "", "process");
      asked[0]?.answer(undefined);
      assert.equal(submitted[0]?.attempt.isolation, "process");
      assert.equal(asked.length, 1);
      dispatcher.over(runId, call, "completed", undefined);
      assert.deepEqual(
        asked.map(({ id }) => id),
        ["2:1", "3:1"],
      );
      dispatcher.dispatch(runId, other, "{}", "", "process");
      dispatcher.abandon(runId, 3, 1);
      assert.equal(asked.at(-1)?.id, "4:1");
    });

    it("lose their turn when the run does not want them any more, and come again when it could not be told", () => {
      const { dispatcher, asked, clock } = setUp();
      dispatcher.awaitTurn(runId, call, 1);
      dispatcher.awaitTurn(runId, other, 1);
      asked[0]?.answer(undefined);
      assert.deepEqual(
        asked.map(({ id }) => id),
        ["2:1", "3:1"],
      );
      asked[1]?.answer(new MaestroError("MAILBOX_FULL", { facts: { actor: "x", queued: 1 }, retryAfterMs: 50 }));
      clock.advance(50);
      assert.equal(asked.at(-1)?.id, "3:1");
      assert.equal(asked.length, 3);
    });

    it("are not executed twice when their run is read back", () => {
      const { dispatcher, asked, submitted } = setUp();
      dispatcher.awaitTurn(runId, call, 1);
      dispatcher.dispatch(runId, call, "{}", "", "process");
      dispatcher.awaitTurn(runId, call, 1);
      assert.deepEqual([asked.length, submitted.length], [1, 1]);
    });

    it("of one loss have no turns, but whoever wants to be alone waits for them, and they for it", () => {
      const { dispatcher, asked, submitted } = setUp();
      dispatcher.dispatch(runId, call, "{}", "", "process");
      dispatcher.awaitTurn(runId, other, 1);
      assert.deepEqual([submitted.length, asked.length], [1, 0]);
      dispatcher.over(runId, call, "completed", undefined);
      assert.equal(asked[0]?.id, "3:1");
      dispatcher.dispatch(runId, other, "{}", "", "process");
      dispatcher.dispatch(runId, { ...call, frame: 4 }, "{}", "", "process");
      assert.equal(submitted.length, 2);
      dispatcher.over(runId, other, "completed", undefined);
      assert.equal(submitted.length, 3);
    });
  });
});
