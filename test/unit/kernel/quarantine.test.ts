import assert from "node:assert/strict";
import { family } from "../../support/actor-family.ts";

describe("quarantine", () => {
  const policy = { intensity: { maxRestarts: 2, withinMs: 1_000 }, onExceeded: "quarantine" } as const;

  async function quarantined(log: string[]) {
    const made = await family(policy, log);
    for (let failure = 0; failure < 3; failure++) made.child("a").tell(new Error(`failure ${failure}`));
    made.child("a").tell("waiting");
    await made.world.settle();
    return made;
  }

  it("parks an actor that keeps failing, visibly, while its siblings go on", async () => {
    const log: string[] = [];
    const { world, child } = await quarantined(log);
    const [entry] = world.system.quarantined();
    assert.deepEqual([entry?.path, entry?.failures, String(entry?.error)], ["/parent/a", 3, "Error: failure 2"]);
    assert.deepEqual(
      world.events("actor.quarantined").map((event) => event.path),
      ["/parent/a"],
    );
    assert.equal(child("a").tell("more"), "quarantined");
    await assert.rejects(
      child("a").ask(() => "question", { timeoutMs: 1_000 }),
      { code: "ACTOR_QUARANTINED" },
    );
    assert.equal(world.system.deadLetters.count("quarantined"), 3);
    log.length = 0;
    child("b").tell("hello");
    await world.settle();
    assert.deepEqual(log, ["b got hello"]);
  });

  it("ends with a release: a new instance with a clean record", async () => {
    const log: string[] = [];
    const { world, child } = await quarantined(log);
    log.length = 0;
    assert.equal(world.system.release("/parent/a"), true);
    assert.equal(child("a").tell("hello"), "accepted");
    await world.settle();
    assert.deepEqual(log, ["a made", "a restarted", "a got hello"]);
    assert.deepEqual(world.system.quarantined(), []);
    child("a").tell(new Error("again"));
    await world.settle();
    assert.deepEqual(world.system.quarantined(), [], "one failure does not park it again");
    assert.equal(world.system.release("/parent/a"), false);
    assert.equal(world.system.release("/nobody"), false);
  });

  it("counts as an end for watchers, who are told once", async () => {
    const { world, child, context } = await family(policy, []);
    const seen: string[] = [];
    const target = child("a");
    const watcher = world.system.spawn<string>("watcher", (own) => {
      own.watch(target);
      return { receive: () => own.watch(target), signal: (signal) => void (signal.kind === "terminated" && seen.push(signal.reason)) };
    });
    for (let failure = 0; failure < 3; failure++) target.tell(new Error("x"));
    await world.settle();
    assert.deepEqual(seen, ["quarantined"]);
    watcher.tell("watch one that is quarantined");
    await world.settle();
    assert.deepEqual(seen, ["quarantined", "quarantined"]);
    world.system.release("/parent/a");
    await world.settle();
    context.stop(target);
    await world.settle();
    assert.deepEqual(seen, ["quarantined", "quarantined"]);
  });

  it("ends with the parent", async () => {
    const { world, ref } = await quarantined([]);
    await Promise.all([world.system.stopActor(ref), world.settle()]);
    assert.deepEqual(world.system.quarantined(), []);
    assert.equal(world.system.size, 0);
  });
});
