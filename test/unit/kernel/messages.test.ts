import assert from "node:assert/strict";
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import type { Actor, ActorFactory } from "../../../runtime/kernel/actor.ts";
import { platformScheduler } from "../../../runtime/kernel/scheduler.ts";
import { ActorSystem } from "../../../runtime/kernel/system.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { actorWorld } from "../../support/actor-world.ts";
import { waitUntil } from "../../support/wait-until.ts";

/** Notes what it gets in `log`. */
const recorder = (log: unknown[]): ActorFactory<unknown> => {
  return () => ({ receive: (message) => void log.push(message) });
};

describe("tell", () => {
  it("delivers in order, after the caller has returned", async () => {
    const world = actorWorld();
    const log: unknown[] = [];
    const ref = world.system.spawn("a", recorder(log));
    for (let index = 0; index < 200; index++) assert.equal(ref.tell(index), "accepted");
    assert.deepEqual(log, []);
    await world.settle();
    assert.deepEqual(log, [...Array(200).keys()]);
  });

  it("refuses beyond the mailbox's length, and takes messages again later", async () => {
    const world = actorWorld();
    const log: unknown[] = [];
    const ref = world.system.spawn("a", recorder(log), { mailboxLength: 2 });
    assert.deepEqual([ref.tell(1), ref.tell(2), ref.tell(3)], ["accepted", "accepted", "full"]);
    assert.equal(world.system.deadLetters.count("full"), 1);
    await world.settle();
    assert.equal(ref.tell(4), "accepted");
    await world.settle();
    assert.deepEqual(log, [1, 2, 4]);
  });

  it("refuses once the actor has stopped", async () => {
    const world = actorWorld();
    const ref = world.system.spawn("a", recorder([]));
    await Promise.all([world.system.stopActor(ref), world.settle()]);
    assert.equal(ref.tell(1), "stopped");
    assert.deepEqual(
      world.system.deadLetters.list().map((letter) => [letter.path, letter.reason]),
      [["/a", "stopped"]],
    );
  });

  it("takes turns between actors, so that a long mailbox does not hold up a short one", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const named = (name: string): ActorFactory<number> => {
      return () => ({ receive: () => void log.push(name) });
    };
    const long = world.system.spawn("long", named("long"));
    const short = world.system.spawn("short", named("short"));
    for (let index = 0; index < 1_000; index++) long.tell(index);
    short.tell(0);
    await world.settle();
    assert.equal(log.indexOf("short"), LIMITS.mailboxTurnMessages);
  });
});

describe("the system lane", () => {
  it("comes before messages that wait longer", async () => {
    const world = actorWorld();
    const log: unknown[] = [];
    const target = world.system.spawn<never>("target", () => ({ receive: () => undefined }));
    const ref = world.system.spawn<string>("a", (context) => {
      context.watch(target);
      return { receive: (message) => void log.push(message), signal: (signal) => void log.push(signal.kind) };
    });
    const stopped = world.system.stopActor(target);
    for (let index = 0; index < 2 * LIMITS.mailboxTurnMessages; index++) ref.tell("message");
    await world.settle();
    await stopped;
    assert.ok(log.indexOf("terminated") <= LIMITS.mailboxTurnMessages, "the signal overtook what waited");
  });
});

describe("an asynchronous handler", () => {
  it("suspends its own actor only, until its promise settles", async () => {
    const world = actorWorld();
    const log: string[] = [];
    let finish = (): void => undefined;
    const slow = world.system.spawn<string>("slow", () => ({
      async receive(message) {
        log.push(`${message} begins`);
        if (message === "first") await new Promise<void>((resolve) => (finish = resolve));
        log.push(`${message} ends`);
      },
    }));
    const other = world.system.spawn<string>("other", () => ({ receive: (message) => void log.push(message) }));
    slow.tell("first");
    slow.tell("second");
    other.tell("other");
    await world.settle();
    assert.deepEqual(log, ["first begins", "other"]);
    finish();
    await world.settle();
    assert.deepEqual(log, ["first begins", "other", "first ends", "second begins", "second ends"]);
  });
});

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

describe("two systems in one process", () => {
  it("have their own actors, events and dead letters", async () => {
    const [one, two] = [actorWorld(), actorWorld()];
    const failing: Actor<unknown> = {
      receive() {
        throw new Error("one fails");
      },
    };
    one.system.spawn("a", () => failing).tell(1);
    const log: unknown[] = [];
    two.system.spawn("a", recorder(log)).tell(2);
    await one.settle();
    assert.deepEqual(log, [], "the second system has not run");
    await two.settle();
    assert.deepEqual(log, [2]);
    assert.equal(one.events("actor.failed").length, 1);
    assert.equal(two.events("actor.failed").length, 0);
  });
});

describe("the platform's scheduler", () => {
  it("lets I/O in while actors never stop talking", async () => {
    const system = new ActorSystem({
      name: "live",
      clock: systemClock(),
      random: seededRandom(1),
      events: new EventHub(),
      scheduler: platformScheduler(),
    });
    let handled = 0;
    const talker = system.spawn<number>("talker", () => ({
      receive(message, context) {
        handled = message;
        context.self.tell(message + 1);
      },
    }));
    talker.tell(0);
    let ticks = 0;
    const tick = setInterval(() => ticks++, 1);
    try {
      await waitUntil("timers of the event loop to fire beside a busy actor", () => ticks >= 3 && handled > 1_000);
    } finally {
      clearInterval(tick);
      await system.stop();
    }
  });
});
