import assert from "node:assert/strict";
import type { ActorFactory } from "../../../runtime/kernel/actor.ts";
import { PassivationGroup } from "../../../runtime/kernel/passivation.ts";
import type { ActorRef, ReplyTo } from "../../../runtime/kernel/reference.ts";
import { actorWorld } from "../../support/actor-world.ts";

describe("passivation", () => {
  interface Question {
    readonly text: string;
    readonly replyTo?: ReplyTo<string>;
  }

  /** A shard that spawns runs on demand and again when messages reach one that is leaving. */
  function shardOf(log: string[], group?: PassivationGroup): ActorFactory<Question> {
    const run: ActorFactory<Question> = (context) => {
      log.push("run made");
      return {
        receive(message) {
          log.push(message.text);
          message.replyTo?.reply(`answer to ${message.text}`);
          if (message.text === "leave") log.push(`leaves: ${context.passivate()}`);
        },
        signal(signal) {
          if (signal.kind === "idle") log.push(`idle, leaves: ${context.passivate()}`);
        },
      };
    };
    return (context) => {
      const tellRun = (message: Question): void => {
        const child = context.child<Question>("run") ?? context.spawn("run", run, group === undefined ? {} : { passivation: group });
        child.tell(message);
      };
      return {
        receive: (message) => tellRun(message),
        signal(signal) {
          if (signal.kind !== "passivated") return;
          log.push(`run passivated with ${signal.messages.length}`);
          for (const message of signal.messages) tellRun(message as Question);
        },
      };
    };
  }

  it("hands messages that arrive while an actor leaves to the parent, in order, and asks with them", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const shard = world.system.spawn("shard", shardOf(log));
    shard.tell({ text: "leave" });
    world.scheduler.runAll();
    assert.deepEqual(log, ["run made", "leave", "leaves: true", "run passivated with 0"]);
    log.length = 0;

    shard.tell({ text: "first" });
    await world.settle();
    const run = world.system.find<Question>("/shard/run") as ActorRef<Question>;
    run.tell({ text: "leave" });
    await world.settle();
    assert.equal(run.tell({ text: "x" }), "stopped", "an old reference refuses");
    assert.deepEqual(log, ["run made", "first", "leave", "leaves: true", "run passivated with 0"]);
  });

  it("loses nothing that reaches the actor between its leave and its parent's turn", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const shard = world.system.spawn("shard", shardOf(log));
    shard.tell({ text: "hello" });
    await world.settle();
    const run = world.system.find<Question>("/shard/run");
    const answers: Promise<string>[] = [];
    world.system.spawn<string>("sender", () => ({
      receive() {
        run?.tell({ text: "second" });
        answers.push((run as ActorRef<Question>).ask<string>((replyTo) => ({ text: "third", replyTo }), { timeoutMs: 1_000 }));
      },
    }));
    // The run has its turn first and leaves; the sender has its turn before the shard learns of it.
    run?.tell({ text: "leave" });
    world.system.find<string>("/sender")?.tell("go");
    await world.settle();
    assert.deepEqual(log.slice(2), ["leave", "leaves: true", "run passivated with 2", "run made", "second", "third"]);
    assert.deepEqual(await Promise.all(answers), ["answer to third"]);
    assert.equal(world.system.deadLetters.count(), 0);
  });

  it("is refused while work waits", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const shard = world.system.spawn("shard", shardOf(log));
    shard.tell({ text: "leave" });
    shard.tell({ text: "more" });
    await world.settle();
    assert.deepEqual(log, ["run made", "leave", "leaves: false", "more"]);
  });

  it("is refused while an ask has no answer", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<Question>("a", () => ({
      receive(message, context) {
        log.push(`${message.text}: ${context.passivate()}`);
      },
    }));
    const unanswered = assert.rejects(
      ref.ask<string>((replyTo) => ({ text: "asked", replyTo }), { timeoutMs: 100 }),
      { code: "TIMED_OUT" },
    );
    await world.settle();
    ref.tell({ text: "still open" });
    await world.settle();
    await world.advance(102);
    await unanswered;
    ref.tell({ text: "over" });
    await world.settle();
    assert.deepEqual(log, ["asked: false", "still open: false", "over: true"]);
  });

  it("is refused while an outcome is awaited; a restart ends the wait", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const commits: (() => void)[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        if (message === "fail") throw new Error("fail");
        if (message === "write") context.pipe(new Promise<void>((resolve) => void commits.push(resolve)), () => "committed");
        else log.push(`${message}: ${context.passivate()}`);
      },
    }));
    for (const message of ["write", "write"]) ref.tell(message);
    await world.settle();
    commits[0]?.();
    await world.settle();
    assert.deepEqual(log, ["committed: false"], "the second outcome is awaited");
    ref.tell("fail");
    await world.settle();
    await world.advance(1_000);
    ref.tell("leave");
    await world.settle();
    assert.deepEqual(log.slice(1), ["leave: true"]);
  });

  it("is granted once the awaited outcome was handled", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        if (message === "write") context.pipe(Promise.resolve(), () => "committed");
        else log.push(`${message}: ${context.passivate()}`);
      },
    }));
    ref.tell("write");
    await world.settle();
    assert.deepEqual(log, ["committed: true"]);
  });

  it("hands over what was stashed by the handler that asked for it", async () => {
    const world = actorWorld();
    const log: unknown[] = [];
    world.system
      .spawn<string>("parent", (context) => {
        const child = context.spawn<string>("child", () => ({
          receive(message, own) {
            own.passivate();
            own.stash(message);
          },
        }));
        return {
          receive: (message) => void child.tell(message),
          signal: (signal) => void (signal.kind === "passivated" && log.push(...signal.messages)),
        };
      })
      .tell("kept");
    await world.settle();
    assert.deepEqual(log, ["kept"]);
  });

  it("is forgotten when the parent restarts before it learns of it", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const parent = world.system.spawn<string>("parent", (context) => {
      context.spawn<string>("child", () => ({ receive: (_message, own) => void own.passivate() }));
      return {
        receive() {
          throw new Error("x");
        },
        signal: (signal) => void log.push(signal.kind),
      };
    });
    parent.tell("fail");
    await world.settle();
    world.system.find<string>("/parent/child")?.tell("leave");
    await world.settle();
    await world.advance(1_000);
    assert.deepEqual(log, ["stopping", "restarted"]);
    assert.equal(world.system.size, 2);
  });

  it("is not suggested to an actor that is active, and suggested again to one that stays", async () => {
    const world = actorWorld();
    const group = new PassivationGroup({ clock: world.clock, idleMs: 1_000, maxResident: 10 });
    let suggestions = 0;
    const ref = world.system.spawn<string>(
      "a",
      () => ({ receive: () => undefined, signal: (signal) => void (signal.kind === "idle" && suggestions++) }),
      { passivation: group },
    );
    for (let step = 0; step < 10; step++) {
      ref.tell("active");
      await world.advance(500);
    }
    assert.equal(suggestions, 0);
    for (let step = 0; step < 10; step++) await world.advance(500);
    assert.ok(suggestions >= 3, `${suggestions} suggestions in 5 s`);
  });

  it("makes dead letters of messages that the parent does not take over", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<string>("a", () => ({ receive: (_message, context) => void context.passivate() }));
    const sender = world.system.spawn<string>("b", () => ({ receive: () => void ref.tell("lost") }));
    ref.tell("leave");
    sender.tell("go");
    await world.settle();
    assert.equal(world.system.deadLetters.count("passivated"), 1);
  });

  it("comes with idle time, and the next message makes the actor again", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const group = new PassivationGroup({ clock: world.clock, idleMs: 1_000, maxResident: 10 });
    const shard = world.system.spawn("shard", shardOf(log, group));
    shard.tell({ text: "hello" });
    await world.settle();
    assert.equal(group.size, 1);
    await world.advance(1_300);
    assert.equal(group.size, 0);
    shard.tell({ text: "again" });
    await world.settle();
    assert.deepEqual(log, ["run made", "hello", "idle, leaves: true", "run passivated with 0", "run made", "again"]);
  });
});
