import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { ActorRef, ReplyTo } from "../../../runtime/kernel/reference.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { actorWorld } from "../../support/actor-world.ts";

type Question = { readonly kind: "question"; readonly text: string; readonly replyTo: ReplyTo<string> };

describe("ask", () => {
  const question =
    (text: string) =>
    (replyTo: ReplyTo<string>): Question => ({ kind: "question", text, replyTo });

  it("resolves with the answer, and rejects with what the actor fails it with", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<Question>("a", () => ({
      receive({ text, replyTo }) {
        if (text === "bad") replyTo.fail(new Error("refused"));
        else replyTo.reply(text.toUpperCase());
      },
    }));
    const answers = Promise.allSettled([ref.ask(question("good"), { timeoutMs: 1_000 }), ref.ask(question("bad"), { timeoutMs: 1_000 })]);
    await world.settle();
    const [good, bad] = await answers;
    assert.deepEqual(good, { status: "fulfilled", value: "GOOD" });
    assert.equal(bad.status === "rejected" && String(bad.reason), "Error: refused");
    assert.equal(world.system.pendingReplies, 0);
    await world.advance(2_000);
    assert.equal(world.system.deadLetters.count(), 0, "the deadline of an answered ask does nothing");
  });

  it("is bounded", async () => {
    const world = actorWorld();
    const refs = Array.from({ length: Math.ceil(LIMITS.pendingReplies / LIMITS.mailboxLength) }, (_, index) =>
      world.system.spawn<Question>(`a${index}`, () => ({ receive: ({ replyTo }) => replyTo.reply("x") })),
    );
    const answers: Promise<string>[] = [];
    for (let asked = 0; asked < LIMITS.pendingReplies; asked++) {
      const ref = refs[asked % refs.length] as ActorRef<Question>;
      answers.push(ref.ask(question("x"), { timeoutMs: 1_000 }));
    }
    const one = refs[0] as ActorRef<Question>;
    await assert.rejects(one.ask(question("one too many"), { timeoutMs: 1_000 }), { code: "ASKS_FULL" });
    await world.settle();
    await Promise.all(answers);
    assert.equal(world.system.pendingReplies, 0);
  });

  it("leaves no listener on its signal", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<Question>("a", () => ({ receive: ({ replyTo }) => replyTo.reply("x") }));
    const { signal } = new AbortController();
    const answer = ref.ask(question("x"), { timeoutMs: 1_000, signal });
    assert.equal(getEventListeners(signal, "abort").length, 1);
    await Promise.all([answer, world.settle()]);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("times out; the late answer is a dead letter", async () => {
    const world = actorWorld();
    const kept: ReplyTo<string>[] = [];
    const ref = world.system.spawn<Question>("a", () => ({ receive: ({ replyTo }) => void kept.push(replyTo) }));
    const answer = assert.rejects(ref.ask(question("x"), { timeoutMs: 1_000 }), {
      code: "TIMED_OUT",
      message: /answer of \/a took longer than 1000 ms/,
    });
    await world.settle();
    await world.advance(1_016);
    await answer;
    kept[0]?.reply("late");
    assert.equal(world.system.deadLetters.count("late-reply"), 1);
    assert.equal(world.system.pendingReplies, 0);
  });

  it("can be cancelled, also before it starts, and its message is not handled if it still waits", async () => {
    const world = actorWorld();
    const log: string[] = [];
    const ref = world.system.spawn<Question>("a", () => ({ receive: ({ text }) => void log.push(text) }));
    const controller = new AbortController();
    const answer = assert.rejects(ref.ask(question("x"), { timeoutMs: 1_000, signal: controller.signal }), { code: "REQUEST_CANCELLED" });
    controller.abort();
    await answer;
    await assert.rejects(ref.ask(question("y"), { timeoutMs: 1_000, signal: controller.signal }), { code: "REQUEST_CANCELLED" });
    await world.settle();
    assert.deepEqual(log, []);
    assert.equal(world.system.deadLetters.count("expired"), 1);
  });

  it("fails at once when the mailbox is full, or the actor is gone", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<Question>("a", () => ({ receive: () => undefined }), { mailboxLength: 1 });
    const waiting = assert.rejects(ref.ask(question("1"), { timeoutMs: 1_000 }), { code: "ACTOR_STOPPED" });
    await assert.rejects(ref.ask(question("2"), { timeoutMs: 1_000 }), { code: "MAILBOX_FULL" });
    await Promise.all([world.system.stopActor(ref), world.settle()]);
    await waiting;
    await assert.rejects(ref.ask(question("3"), { timeoutMs: 1_000 }), { code: "ACTOR_STOPPED" });
    assert.equal(world.system.pendingReplies, 0);
  });

  it("fails with the handler's error, and when the instance that took it is replaced", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<Question>("a", () => ({
      receive({ text }) {
        if (text === "throw") throw new Error("handler");
      },
    }));
    const taken = assert.rejects(ref.ask(question("taken, not answered"), { timeoutMs: 60_000 }), { code: "ACTOR_RESTARTED" });
    const thrown = assert.rejects(ref.ask(question("throw"), { timeoutMs: 60_000 }), /handler/);
    await world.settle();
    await world.advance(1_000);
    await Promise.all([taken, thrown]);
  });

  it("survives a restart when it was stashed", async () => {
    const world = actorWorld();
    let instances = 0;
    const ref = world.system.spawn<Question | "fail">("a", () => {
      const instance = ++instances;
      return {
        receive(message, context) {
          if (message === "fail") throw new Error("fail");
          if (instance === 1) context.stash(message);
          else message.replyTo.reply(`answered by instance ${instance}`);
        },
      };
    });
    const answer = ref.ask(question("x"), { timeoutMs: 60_000 });
    ref.tell("fail");
    await world.settle();
    await world.advance(1_000);
    assert.equal(await answer, "answered by instance 2");
  });

  it("refuses a timeout without sense", async () => {
    const world = actorWorld();
    const ref = world.system.spawn<Question>("a", () => ({ receive: () => undefined }));
    await assert.rejects(ref.ask(question("x"), { timeoutMs: 0 }), /timeout must be more than 0/);
    assert.equal(world.system.pendingReplies, 0);
  });
});
