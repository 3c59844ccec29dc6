import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
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
    assert.ok(log.includes("terminated"));
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
    let looks = 0;
    const look = async (): Promise<boolean> => {
      await stat(import.meta.filename);
      looks += 1;
      return looks >= 3 && handled > 1_000;
    };
    try {
      await waitUntil("files to be read and timers to fire beside a busy actor", look);
    } finally {
      await system.stop();
    }
  });
});
