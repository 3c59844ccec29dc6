import assert from "node:assert/strict";
import type { Actor, ActorFactory, ActorSignal } from "../../../runtime/kernel/actor.ts";
import type { ActorRef } from "../../../runtime/kernel/reference.ts";
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
      { code: "TIMED_OUT" },
      "what is still at work may yet do what it was asked for",
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
