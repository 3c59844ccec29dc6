import assert from "node:assert/strict";
import fc from "fast-check";
import { type SupervisionStrategy, supervisionPolicy } from "../../../runtime/kernel/supervision.ts";
import { AT_ONCE, family, logging } from "../../support/actor-family.ts";
import { actorWorld } from "../../support/actor-world.ts";

describe("supervision", () => {
  it("restarts with a fresh instance; what waited is kept, what failed is not", async () => {
    const log: string[] = [];
    const { world, child } = await family({}, log);
    child("a").tell(new Error("x"));
    child("a").tell("next");
    await world.settle();
    assert.deepEqual(log, ["a stopping", "a made", "a restarted", "a got next"]);
    assert.deepEqual(
      world.events("actor.failed").map(({ path, directive }) => [path, directive]),
      [["/parent/a", "restart"]],
    );
  });

  it("resumes with the same instance", async () => {
    const log: string[] = [];
    const { world, child } = await family({ decide: () => "resume" }, log);
    child("a").tell(new Error("x"));
    child("a").tell("next");
    await world.settle();
    assert.deepEqual(log, ["a got next"]);
  });

  it("stops, and tells watchers that it was a failure", async () => {
    const log: string[] = [];
    const { world, child } = await family({ decide: () => "stop" }, log);
    const target = child("a");
    const seen: string[] = [];
    world.system.spawn<never>("watcher", (context) => {
      context.watch(target);
      return {
        receive: () => undefined,
        signal: (signal) => void (signal.kind === "terminated" && seen.push(`${signal.ref.path} ${signal.reason}`)),
      };
    });
    target.tell(new Error("x"));
    await world.settle();
    assert.deepEqual(log, ["a stopping"]);
    assert.deepEqual(seen, ["/parent/a failed"]);
    assert.equal(target.tell("late"), "stopped");
  });

  it("restarts or stops exactly those whom the strategy names", async () => {
    const strategies = fc.constantFrom<SupervisionStrategy>("one-for-one", "one-for-all", "rest-for-one");
    const concerned = {
      "one-for-one": { a: "a", b: "b", c: "c" },
      "one-for-all": { a: "abc", b: "abc", c: "abc" },
      "rest-for-one": { a: "abc", b: "bc", c: "c" },
    };
    await fc.assert(
      fc.asyncProperty(strategies, fc.constantFrom("a", "b", "c"), fc.constantFrom("restart", "stop"), async (strategy, failing, directive) => {
        const log: string[] = [];
        const { world, child } = await family({ strategy, decide: () => directive }, log);
        const refs = ["a", "b", "c"].map(child);
        child(failing).tell(new Error("x"));
        await world.settle();
        for (const ref of refs) ref.tell("after");
        await world.settle();
        const stopped = log.filter((line) => line.endsWith(" stopping")).map((line) => line[0]);
        const made = log.filter((line) => line.endsWith(" made")).map((line) => line[0]);
        const heard = log.filter((line) => line.endsWith(" got after")).map((line) => line[0]);
        const expected = concerned[strategy][failing as "a" | "b" | "c"].split("");
        assert.deepEqual(stopped.sort(), expected);
        assert.deepEqual(made.sort(), directive === "restart" ? expected : []);
        assert.deepEqual(heard.sort(), directive === "restart" ? ["a", "b", "c"] : ["a", "b", "c"].filter((name) => !expected.includes(name)));
      }),
      { numRuns: 18 },
    );
  });

  it("waits for the backoff, while messages wait", async () => {
    const log: string[] = [];
    const { world, child } = await family({ backoff: { initialMs: 100, maxMs: 1_000, factor: 3, jitter: 0 } }, log);
    child("a").tell(new Error("1"));
    child("a").tell("waiting");
    await world.settle();
    await world.advance(99);
    assert.deepEqual(log, []);
    await world.advance(1);
    assert.deepEqual(log, ["a stopping", "a made", "a restarted", "a got waiting"]);
    child("a").tell(new Error("2"));
    await world.settle();
    log.length = 0;
    await world.advance(299);
    assert.deepEqual(log, []);
    await world.advance(1);
    assert.deepEqual(log.length, 3);
  });

  it("escalates what exceeds the intensity: the parent restarts, its children go first", async () => {
    const log: string[] = [];
    const { world, child } = await family({ intensity: { maxRestarts: 1, withinMs: 1_000 } }, log);
    child("a").tell(new Error("1"));
    await world.settle();
    log.length = 0;
    child("a").tell(new Error("2"));
    await world.settle();
    await world.advance(1_000);
    assert.deepEqual(log.slice(0, 3).sort(), ["a stopping", "b stopping", "c stopping"]);
    assert.deepEqual(log.slice(3), ["a made", "b made", "c made"]);
    assert.deepEqual(
      world.events("actor.failed").map(({ path, directive }) => `${path} ${directive}`),
      ["/parent/a restart", "/parent/a escalate", "/parent restart"],
    );
  });

  it("resumes a child with its parent, when the parent takes the failure over and is resumed", async () => {
    const log: string[] = [];
    const world = actorWorld({ supervision: supervisionPolicy({ decide: () => "resume" }) });
    let decisions = 0;
    const policy = supervisionPolicy({
      decide: () => (decisions++ === 0 ? "restart" : "escalate"),
      backoff: { initialMs: 500, maxMs: 500, factor: 1, jitter: 0 },
    });
    world.system.spawn<never>(
      "parent",
      (context) => {
        for (const name of ["waits", "escalates"]) context.spawn(name, logging(log));
        return { receive: () => undefined };
      },
      { supervision: policy },
    );
    const [waits, escalates] = ["waits", "escalates"].map((name) => world.system.find<unknown>(`/parent/${name}`));
    waits?.tell(new Error("restarted after its backoff"));
    await world.settle();
    escalates?.tell(new Error("x"));
    for (const ref of [waits, escalates]) ref?.tell("next");
    await world.settle();
    assert.deepEqual(log, ["waits made", "escalates made", "escalates got next"]);
    await world.advance(500);
    assert.deepEqual(log.slice(3), ["waits stopping", "waits made", "waits restarted", "waits got next"]);
  });

  it("leaves siblings alone that are in a backoff already", async () => {
    const log: string[] = [];
    const { world, child } = await family({ strategy: "rest-for-one", backoff: { initialMs: 100, maxMs: 100, factor: 1, jitter: 0 } }, log);
    child("b").tell(new Error("b and c wait until 100"));
    await world.settle();
    await world.advance(50);
    child("a").tell(new Error("a waits until 150"));
    await world.settle();
    const made = (): readonly string[] => log.filter((line) => line.endsWith("made"));
    await world.advance(50);
    assert.deepEqual(made(), ["b made", "c made"]);
    child("b").tell(new Error("b and c wait until 200"));
    await world.settle();
    await world.advance(50);
    assert.deepEqual(made(), ["b made", "c made", "a made"]);
    await world.advance(50);
    assert.deepEqual(made(), ["b made", "c made", "a made", "b made", "c made"]);
    assert.equal(world.clock.untilNext(), undefined);
  });

  it("leaves no backoff on the clock when the actor is stopped meanwhile", async () => {
    const { world, ref, child } = await family({ backoff: { initialMs: 100, maxMs: 100, factor: 1, jitter: 0 } }, []);
    child("a").tell(new Error("x"));
    await world.settle();
    assert.equal(world.clock.untilNext(), 100);
    await Promise.all([world.system.stopActor(ref), world.settle()]);
    assert.equal(world.clock.untilNext(), undefined);
  });

  it("at the top parks the actor and tells the owner of the system", async () => {
    const escalated: string[] = [];
    const world = actorWorld({
      supervision: supervisionPolicy({ decide: () => "escalate" }),
      onEscalated: (path, error) => escalated.push(`${path}: ${String(error)}`),
    });
    const ref = world.system.spawn<string>("top", () => ({
      receive(message) {
        throw new Error(message);
      },
    }));
    ref.tell("boom");
    await world.settle();
    assert.deepEqual(escalated, ["/top: Error: boom"]);
    assert.deepEqual(
      world.system.quarantined().map((entry) => entry.path),
      ["/top"],
    );
  });

  it("handles a factory that throws, at the spawn and at a restart, like any failure", async () => {
    const world = actorWorld({ supervision: supervisionPolicy({ backoff: { initialMs: 10, maxMs: 10, factor: 1, jitter: 0 } }) });
    let attempts = 0;
    const log: unknown[] = [];
    const ref = world.system.spawn<string>("a", () => {
      if (++attempts < 4) throw new Error(`attempt ${attempts}`);
      return { receive: (message) => void log.push(message) };
    });
    ref.tell("hello");
    for (let wait = 0; wait < 3; wait++) await world.advance(10);
    assert.equal(attempts, 4);
    assert.deepEqual(log, ["hello"]);
    assert.equal(world.events("actor.failed").length, 3);
  });

  it("takes a rejected promise of a handler for a failure, and never lets it out", async () => {
    const world = actorWorld({ supervision: supervisionPolicy({ backoff: AT_ONCE }) });
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      async receive(message) {
        await undefined;
        if (message === "bad") throw new Error("async");
        log.push(message);
      },
    }));
    ref.tell("bad");
    ref.tell("good");
    await world.settle();
    assert.deepEqual(log, ["good"]);
    assert.deepEqual(
      world.events("actor.failed").map((event) => String(event.error)),
      ["Error: async"],
    );
  });

  it("goes on when the last signal of an instance throws", async () => {
    const world = actorWorld({ supervision: supervisionPolicy({ backoff: AT_ONCE }) });
    const log: string[] = [];
    const ref = world.system.spawn("a", logging(log, "stopping"));
    ref.tell(new Error("x"));
    ref.tell("next");
    await world.settle();
    assert.deepEqual(log, ["a made", "a stopping", "a made", "a restarted", "a got next"]);
    await Promise.all([world.system.stopActor(ref), world.settle()]);
    assert.equal(world.system.find("/a"), undefined);
  });

  it("cancels the timers of an instance that is replaced", async () => {
    const world = actorWorld({ supervision: supervisionPolicy({ backoff: AT_ONCE }) });
    const log: string[] = [];
    const ref = world.system.spawn<string>("a", () => ({
      receive(message, context) {
        if (message === "set") context.setTimer("t", 100, "tick");
        else if (message === "fail") throw new Error("x");
        else log.push(message);
      },
    }));
    ref.tell("set");
    ref.tell("fail");
    await world.settle();
    await world.advance(1_000);
    assert.deepEqual(log, []);
  });
});
