import assert from "node:assert/strict";
import type { Actor, ActorFactory, ActorSignal } from "../../../runtime/kernel/actor.ts";
import { PassivationGroup } from "../../../runtime/kernel/passivation.ts";
import type { ActorRef, ReplyTo } from "../../../runtime/kernel/reference.ts";
import { actorWorld } from "../../support/actor-world.ts";

/** Writes the end of each actor of a tree of three levels into `log`. */
function tree(log: string[], depth: number): ActorFactory<never> {
  return (context) => {
    for (const name of depth > 0 ? ["a", "b"] : []) context.spawn(name, tree(log, depth - 1));
    return { receive: () => undefined, signal: (signal) => void (signal.kind === "stopping" && log.push(context.path)) };
  };
}

describe("spawn", () => {
  it("refuses a name that is taken, empty, or holds a slash, and a mailbox without sense", () => {
    const { system } = actorWorld();
    const idle: ActorFactory<never> = () => ({ receive: () => undefined });
    system.spawn("a", idle);
    assert.throws(() => system.spawn("a", idle), /has a child "a" already/);
    assert.throws(() => system.spawn("", idle), /must not be empty/);
    assert.throws(() => system.spawn("a/b", idle), /must not hold/);
    for (const mailboxLength of [0, 1.5, 1e9]) assert.throws(() => system.spawn("b", idle, { mailboxLength }), /mailboxLength must be 1 to/);
    assert.equal(system.size, 1);
  });

  it("makes actors that know their place", () => {
    const { system } = actorWorld();
    const seen: unknown[] = [];
    system.spawn<never>("top", (context) => {
      seen.push(context.path, context.parent?.path, context.system === system);
      const child = context.spawn<never>("child", (inner) => {
        seen.push(inner.path, inner.parent?.path, inner.name);
        return { receive: () => undefined };
      });
      seen.push(context.child("child") === child, context.children().length);
      return { receive: () => undefined };
    });
    assert.deepEqual(seen, ["/top", undefined, true, "/top/child", "/top", "child", true, 1]);
    assert.equal(system.find("/top/child")?.path, "/top/child");
    assert.equal(system.find("/"), undefined);
  });
});

describe("stop", () => {
  it("ends children before parents, and the system only when all are gone", async () => {
    const world = actorWorld();
    const log: string[] = [];
    world.system.spawn("root", tree(log, 2));
    assert.equal(world.system.size, 7);
    const [abandoned] = await Promise.all([world.system.stop(), world.settle()]);
    assert.deepEqual(abandoned, []);
    assert.equal(log.length, 7);
    for (const [index, path] of log.entries())
      for (const later of log.slice(index + 1)) assert.ok(!later.startsWith(`${path}/`), `${later} ended after its parent`);
    assert.equal(world.system.size, 0);
    assert.throws(() => world.system.spawn("late", tree(log, 0)), { code: "ACTOR_STOPPED" });
  });

  it("lets a pending handler end, but not longer than its deadline", async () => {
    const world = actorWorld();
    let finish = (): void => undefined;
    const slow: Actor<string> = {
      receive: (message) =>
        new Promise<void>((resolve) => {
          if (message === "finite") finish = resolve;
        }),
    };
    world.system.spawn("finite", () => slow).tell("finite");
    const endless = world.system.spawn("endless", () => slow);
    const answer = assert.rejects(
      endless.ask(() => "endless", { timeoutMs: 60_000 }),
      { code: "ACTOR_STOPPED" },
    );
    await world.settle();
    const stopped = world.system.stop(5_000);
    await world.settle();
    assert.equal(world.system.size, 2);
    finish();
    await world.settle();
    assert.equal(world.system.size, 1);
    await world.advance(5_000);
    assert.deepEqual(await stopped, ["/endless"]);
    await answer;
  });

  it("of a parent waits for a child whose handler is pending", async () => {
    const world = actorWorld();
    let finish = (): void => undefined;
    const parent = world.system.spawn<never>("parent", (context) => {
      const child = context.spawn<string>("child", () => ({
        receive: () =>
          new Promise<void>((resolve) => {
            finish = resolve;
          }),
      }));
      child.tell("work");
      return { receive: () => undefined };
    });
    await world.settle();
    let isStopped = false;
    const stopped = world.system.stopActor(parent).then(() => {
      isStopped = true;
    });
    await world.settle();
    assert.equal(isStopped, false);
    finish();
    await world.settle();
    await stopped;
    assert.equal(world.system.size, 0);
  });

  it("of a child is its parent's right only", async () => {
    const world = actorWorld();
    const other = world.system.spawn<never>("other", () => ({ receive: () => undefined }));
    const stopper = world.system.spawn<string>("stopper", () => ({ receive: (_message, context) => context.stop(other) }));
    stopper.tell("stop");
    await world.settle();
    assert.match(String(world.events("actor.failed")[0]?.error), /\/other is not a child of \/stopper/);
    assert.equal(world.system.find("/other"), other);
  });
});

describe("death watch", () => {
  function watcher(log: string[]): ActorFactory<{ readonly watch?: ActorRef<never>; readonly unwatch?: ActorRef<never> }> {
    return () => ({
      receive(message, context) {
        if (message.watch !== undefined) context.watch(message.watch);
        if (message.unwatch !== undefined) context.unwatch(message.unwatch);
      },
      signal: (signal: ActorSignal) => void (signal.kind === "terminated" && log.push(`${signal.ref.path} ${signal.reason}`)),
    });
  }

  it("tells each watcher once, also one that comes too late, and none that took it back", async () => {
    const world = actorWorld();
    const [early, late, former]: string[][] = [[], [], []];
    const target = world.system.spawn("target", tree([], 0));
    const refs = [early, late, former].map((log, index) => world.system.spawn(`w${index}`, watcher(log as string[])));
    refs[0]?.tell({ watch: target });
    refs[2]?.tell({ watch: target });
    refs[2]?.tell({ unwatch: target });
    await world.settle();
    await Promise.all([world.system.stopActor(target), world.settle()]);
    refs[1]?.tell({ watch: target });
    await world.settle();
    assert.deepEqual([early, late, former], [["/target stopped"], ["/target stopped"], []]);
  });
});

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
