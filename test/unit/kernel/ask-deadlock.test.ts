import assert from "node:assert/strict";
import type { Actor } from "../../../runtime/kernel/actor.ts";
import type { ActorRef, ReplyTo } from "../../../runtime/kernel/reference.ts";
import { actorWorld } from "../../support/actor-world.ts";

interface Call {
  /** Names of the actors to ask, one through the other. */
  readonly route: readonly string[];
  readonly replyTo: ReplyTo<string>;
}

/** Asks the first of the route for the rest of it, awaits that inside its handler (or pipes it), and answers. */
function caller(manner: "await" | "await late" | "pipe"): Actor<Call | (() => void)> {
  return {
    async receive(message, context) {
      if (typeof message === "function") return message();
      const { route, replyTo } = message;
      const [next, ...rest] = route;
      if (next === undefined) return replyTo.reply("end");
      const ref = context.system.find<Call>(`/${next}`) as ActorRef<Call>;
      const ask = () => context.ask<Call, string>(ref, (inner) => ({ route: rest, replyTo: inner }), { timeoutMs: 5_000 });
      if (manner === "pipe") {
        context.pipe(ask(), (outcome) => () => (outcome.ok ? replyTo.reply(`${next} ${outcome.value}`) : replyTo.fail(outcome.error)));
        return;
      }
      if (manner === "await late") await undefined;
      replyTo.reply(`${next} ${await ask()}`);
    },
  };
}

describe("deadlock of asks", () => {
  for (const manner of ["await", "await late"] as const) {
    it(`is reported with its cycle, and fails the ask that closes it (${manner})`, async () => {
      const world = actorWorld();
      for (const name of ["a", "b", "c"]) world.system.spawn(name, () => caller(manner));
      const first = world.system.find<Call>("/a") as ActorRef<Call>;
      const answer = first.ask<string>((replyTo) => ({ route: ["b", "c", "a"], replyTo }), { timeoutMs: 5_000 });
      await Promise.all([assert.rejects(answer, { code: "ACTOR_DEADLOCK" }), world.settle()]);
      assert.deepEqual(world.events("actor.deadlock"), [{ cycle: ["/c", "/a", "/b", "/c"] }]);
    });
  }

  it("is found when an actor asks itself", async () => {
    const world = actorWorld();
    const ref = world.system.spawn("a", () => caller("await"));
    const answer = ref.ask<string>((replyTo) => ({ route: ["a"], replyTo }), { timeoutMs: 5_000 });
    await Promise.all([assert.rejects(answer, { code: "ACTOR_DEADLOCK", message: /\/a -> \/a/ }), world.settle()]);
  });

  it("is none when the answer is piped, or the chain does not close", async () => {
    const world = actorWorld();
    for (const name of ["a", "b"]) world.system.spawn(name, () => caller("pipe"));
    for (const name of ["x", "y"]) world.system.spawn(name, () => caller("await"));
    const ask = (name: string, route: string[]) =>
      (world.system.find<Call>(name) as ActorRef<Call>).ask<string>((replyTo) => ({ route, replyTo }), { timeoutMs: 5_000 });
    const answers = Promise.all([ask("/a", ["b", "a"]), ask("/x", ["y"])]);
    await world.settle();
    assert.deepEqual(await answers, ["b a end", "y end"]);
    assert.deepEqual(world.events("actor.deadlock"), []);
  });
});
