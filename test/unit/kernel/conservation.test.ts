/**
 * Whatever happens to a tree of actors (failures, restarts, quarantine, release, passivation, stops, full mailboxes), no message disappears:
 * each was handled, or is a dead letter. And the same steps give the same history.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorFactory } from "../../../runtime/kernel/actor.ts";
import type { ReplyTo } from "../../../runtime/kernel/reference.ts";
import { type SupervisionPolicy, supervisionPolicy } from "../../../runtime/kernel/supervision.ts";
import { type ActorWorld, actorWorld } from "../../support/actor-world.ts";

const KINDS = ["work", "wait", "fail", "reject", "stash", "unstash", "leave", "stop", "forget", "watch"] as const;

interface Order {
  readonly kind: (typeof KINDS)[number];
  readonly run: string;
  readonly replyTo?: ReplyTo<string>;
}

type Step =
  | { readonly do: "tell" | "ask"; readonly kind: Order["kind"]; readonly run: string }
  | { readonly do: "run" }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "release" };

const runs = fc.constantFrom("r1", "r2", "r3");
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("tell" as const, "ask" as const), kind: fc.constantFrom(...KINDS), run: runs }) },
    { weight: 2, arbitrary: fc.constant({ do: "run" as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 400 }) }) },
    { weight: 1, arbitrary: fc.constant({ do: "release" as const }) },
  ),
  { maxLength: 60, size: "max" },
);
const policies = fc
  .record({
    strategy: fc.constantFrom("one-for-one", "one-for-all", "rest-for-one"),
    onExceeded: fc.constantFrom("quarantine", "escalate"),
    initialMs: fc.constantFrom(0, 50),
  })
  .map(({ strategy, onExceeded, initialMs }) =>
    supervisionPolicy({
      strategy,
      onExceeded,
      intensity: { maxRestarts: 2, withinMs: 500 },
      backoff: { initialMs, maxMs: 200, factor: 2, jitter: 0.5 },
    }),
  );

describe("a tree of actors", () => {
  it("handles each message or makes a dead letter of it, settles each ask, leaves nothing behind, and repeats itself exactly", async () => {
    await fc.assert(
      fc.asyncProperty(steps, policies, async (plan, policy) => {
        assert.deepEqual(await history(plan, policy), await history(plan, policy));
      }),
      { numRuns: 1_000 },
    );
  }).timeout(20_000);
});

/** Carries the plan out, checks the books at the end, and returns what happened. */
async function history(plan: readonly Step[], policy: SupervisionPolicy): Promise<readonly string[]> {
  const world = actorWorld({ supervision: policy });
  const books = { taken: 0, sent: 0, settled: 0, asked: 0 };
  const log: string[] = [];
  const shard = world.system.spawn("shard", shardOf(log, books), { supervision: policy });
  for (const step of plan) await carryOut(world, step, shard, books);
  await world.advance(1_000);
  const [abandoned] = await Promise.all([world.system.stop(), world.settle()]);
  await world.advance(60_000);
  assert.deepEqual(abandoned, []);
  assert.equal(
    books.sent,
    books.taken + world.system.deadLetters.count() - world.system.deadLetters.count("late-reply"),
    "each message is accounted for",
  );
  assert.equal(books.settled, books.asked, "each ask has ended");
  assert.deepEqual([world.system.size, world.system.pendingReplies, world.system.quarantined().length], [0, 0, 0]);
  assert.equal(world.clock.untilNext(), undefined, "no timer is left");
  return [...log, ...world.events("actor.failed").map((event) => `${event.path} ${event.directive}`)];
}

async function carryOut(
  world: ActorWorld,
  step: Step,
  shard: ReturnType<ActorWorld["system"]["spawn"]>,
  books: { sent: number; asked: number; settled: number },
): Promise<void> {
  if (step.do === "run") await world.settle();
  else if (step.do === "advance") await world.advance(step.ms);
  else if (step.do === "release") for (const entry of world.system.quarantined()) world.system.release(entry.path);
  else if (step.do === "tell") {
    books.sent++;
    shard.tell({ kind: step.kind, run: step.run });
  } else {
    books.sent++;
    books.asked++;
    const count = (): void => void books.settled++;
    shard.ask<string>((replyTo) => ({ kind: step.kind, run: step.run, replyTo }), { timeoutMs: 300 }).then(count, count);
  }
}

/** A shard that hands each order on to the run that it is for. Each tell counts as sent, and each handler call as taken. */
function shardOf(log: string[], books: { taken: number; sent: number }): ActorFactory<Order> {
  return (context) => {
    const handOn = (order: Order): void => {
      const run = context.child<Order>(order.run) ?? context.spawn(order.run, runOf(log, books));
      books.sent++;
      run.tell(order);
    };
    return {
      receive(order) {
        books.taken++;
        handOn(order);
      },
      signal(signal) {
        log.push(`shard ${signal.kind}`);
        if (signal.kind !== "passivated") return;
        books.taken += signal.messages.length;
        for (const message of signal.messages) handOn(message as Order);
      },
    };
  };
}

function runOf(log: string[], books: { taken: number }): ActorFactory<Order> {
  const stashed = new Set<Order>();
  return (context) => ({
    async receive(order) {
      const { kind, run, replyTo } = order;
      log.push(`${run} ${kind}`);
      if (kind === "stash" && !stashed.has(order)) {
        stashed.add(order);
        context.stash(order);
        return;
      }
      books.taken++;
      if (kind === "fail") throw new Error("fail");
      if (kind === "wait" || kind === "reject") for (let round = 0; round < 3; round++) await undefined;
      if (kind === "reject") throw new Error("reject");
      if (kind === "leave") context.passivate();
      if (kind === "stop") context.stop();
      if (kind === "unstash") context.unstashAll();
      if (kind === "watch") context.watch(context.self);
      if (kind !== "forget") replyTo?.reply(kind);
    },
    signal: (signal) => void log.push(`${context.name} ${signal.kind}`),
  });
}
