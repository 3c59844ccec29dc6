import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { actorWorld } from "../../support/actor-world.ts";

describe("stash", () => {
  it("brings messages back in front, in their order", async () => {
    const world = actorWorld();
    const log: number[] = [];
    let isOpen = false;
    const ref = world.system.spawn<number>("a", () => ({
      receive(message, context) {
        if (message === 0) {
          isOpen = true;
          context.unstashAll();
        } else if (isOpen) log.push(message);
        else context.stash(message);
      },
    }));
    for (const message of [1, 2, 0, 3]) ref.tell(message);
    await world.settle();
    assert.deepEqual(log, [1, 2, 3]);
  });

  it("refuses beyond its bound, and fails an ask that it can't keep", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<unknown>("a", () => ({ receive: (message, context) => void context.stash(message) }));
    for (let index = 0; index < LIMITS.stashLength; index++) ref.tell(index);
    const answer = ref.ask(() => "question", { timeoutMs: 1_000 });
    await Promise.all([assert.rejects(answer, { code: "MAILBOX_FULL" }), world.settle()]);
    assert.equal(world.system.deadLetters.count("stash-full"), 1);
  });
});

describe("timers", () => {
  it("deliver once, and not when replaced or cleared, even if they had fired", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        log.push(message);
        if (message === "set") for (const key of ["kept", "replaced", "cleared", "fired"]) context.setTimer(key, 100, key);
        if (message === "set") context.setTimer("replaced", 200, "replacement");
        if (message === "clear") context.clearTimer("cleared");
        if (message === "clear fired") context.clearTimer("fired");
      },
    }));
    ref.tell("set");
    ref.tell("clear");
    await world.settle();
    ref.tell("clear fired");
    world.clock.advance(100);
    await world.settle();
    assert.deepEqual(log, ["set", "clear", "clear fired", "kept"]);
    await world.advance(500);
    assert.deepEqual(log.slice(4), ["replacement"]);
  });

  it("leave nothing on the clock when they are replaced, cleared, or end with their actor", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        context.setTimer("replaced", 1_000, message);
        context.setTimer("replaced", 10, message);
        context.setTimer("cleared", 1_000, message);
        context.clearTimer("cleared");
        if (message === "stop") context.stop();
      },
    }));
    ref.tell("set");
    await world.settle();
    assert.equal(world.clock.untilNext(), 10);
    world.clock.advance(10);
    assert.equal(world.clock.untilNext(), undefined);
    ref.tell("stop");
    await world.settle();
    assert.equal(world.clock.untilNext(), undefined);
  });

  it("are bounded; one that has fired counts no more", async () => {
    const world = actorWorld();
    let round = 0;
    const ref = world.system.spawn<number>("a", () => ({
      receive(message, context) {
        if (message >= 0) for (let timer = 0; timer < message; timer++) context.setTimer(`${round} ${timer}`, 10, -1);
      },
    }));
    ref.tell(LIMITS.actorTimers);
    await world.settle();
    await world.advance(10);
    round++;
    ref.tell(LIMITS.actorTimers);
    await world.settle();
    assert.equal(world.events("actor.failed").length, 0);
    await world.advance(10);
    ref.tell(LIMITS.actorTimers + 1);
    await world.settle();
    assert.match(String(world.events("actor.failed")[0]?.error), /at most 1000 timers/);
  });
});

describe("pipe", () => {
  it("brings the outcome as a message, also when the mailbox is full", async () => {
    const world = actorWorld();
    const log: unknown[] = [];
    let commit = (_value: number): void => undefined;
    const ref = world.system.spawn<string>(
      "a",
      () => ({
        receive(message, context) {
          log.push(message);
          if (message !== "write") return;
          context.pipe(new Promise<number>((resolve) => (commit = resolve)), (outcome) => (outcome.ok ? `committed ${outcome.value}` : "failed"));
          context.pipe(Promise.reject(new Error("no")), (outcome) => (outcome.ok ? "?" : `failed: ${String(outcome.error)}`));
        },
      }),
      { mailboxLength: 1 },
    );
    ref.tell("write");
    world.scheduler.runAll();
    ref.tell("next");
    commit(7);
    await world.settle();
    assert.deepEqual(log, ["write", "next", "failed: Error: no", "committed 7"]);
  });

  it("drops the outcome when the instance that asked for it is gone", async () => {
    const world = actorWorld();
    const log: string[] = [];
    let commit = (): void => undefined;
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        log.push(message);
        if (message === "write") context.pipe(new Promise<void>((resolve) => (commit = resolve)), () => "committed");
        if (message === "fail") throw new Error("fail");
      },
    }));
    ref.tell("write");
    ref.tell("fail");
    await world.settle();
    await world.advance(1_000);
    commit();
    ref.tell("after");
    await world.settle();
    assert.deepEqual(log, ["write", "fail", "after"]);
  });

  it("drops an outcome that waits in the mailbox when the instance fails", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      async receive(message, context) {
        log.push(message);
        if (message !== "write") return;
        context.pipe(Promise.resolve(), () => "committed");
        for (let round = 0; round < 5; round++) await undefined;
        throw new Error("fails after the outcome arrived");
      },
    }));
    ref.tell("write");
    await world.settle();
    await world.advance(1_000);
    ref.tell("after");
    await world.settle();
    assert.deepEqual(log, ["write", "after"]);
  });

  it("is bounded: one promise too many is a failure, and its outcome goes nowhere", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        if (message !== "pipe") log.push(message);
        else for (let index = 0; index <= LIMITS.actorPipes; index++) context.pipe(Promise.reject(new Error("no")), () => "outcome");
      },
    }));
    ref.tell("pipe");
    await world.settle();
    await world.advance(1_000);
    assert.match(String(world.events("actor.failed")[0]?.error), /at most 1000 outcomes/);
    assert.deepEqual(log, []);
  });
});
