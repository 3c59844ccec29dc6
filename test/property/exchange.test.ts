/**
 * Laws of the exchange of tasks, for any schedule: whatever is submitted and cancelled wherever, while executors and lenders die, come and leave, and
 * the network loses, repeats, delays and reorders messages or falls apart: every attempt of a node that lives settles, once; nobody executes more
 * than it has slots, and no two executors the same attempt while each may count on its loan; once all is well again, nothing is stuck.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type ExchangeNode, ExchangeWorld, LOAN_MS } from "../support/exchange-world.ts";

/** How long after its death a node is known to be lost, in milliseconds. */
const NOTICED_MS = 3_000;
const LONGEST_TASK_MS = 4 * LOAN_MS;

type Step =
  | {
      readonly kind: "submit";
      readonly node: number;
      readonly count: number;
      readonly durationMs: number;
      readonly priority: number;
      readonly queue: string;
    }
  | { readonly kind: "cancel"; readonly attempt: number }
  | { readonly kind: "kill" | "leave"; readonly node: number }
  | { readonly kind: "join"; readonly slots: number }
  | { readonly kind: "partition"; readonly from: number; readonly to: number; readonly isOneWay: boolean }
  | { readonly kind: "heal" }
  | { readonly kind: "network"; readonly loss: number; readonly duplication: number; readonly reordering: number; readonly delayMs: number }
  | { readonly kind: "wait"; readonly ms: number };

const place = fc.nat(4);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      node: place,
      count: fc.integer({ min: 1, max: 6 }),
      durationMs: fc.oneof(fc.nat(200), fc.integer({ min: LOAN_MS, max: LONGEST_TASK_MS })),
      priority: fc.integer({ min: 1, max: 5 }),
      queue: fc.constantFrom("default", "default", "gpu"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), attempt: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("kill" as const, "leave" as const), node: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("join" as const), slots: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("partition" as const), from: place, to: place, isOneWay: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "heal" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("network" as const),
      loss: fc.constantFrom(0, 0.1, 0.4),
      duplication: fc.constantFrom(0, 0.3),
      reordering: fc.constantFrom(0, 0.3),
      delayMs: fc.nat(100),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.oneof(fc.nat(300), fc.integer({ min: LOAN_MS / 2, max: 2 * LOAN_MS })) }),
  },
);

/** One schedule, and what was submitted in it. */
class Schedule {
  readonly #world: ExchangeWorld;
  readonly #submitted: { readonly node: ExchangeNode; readonly id: string; isCancelled: boolean }[] = [];
  readonly #leaving: Promise<void>[] = [];
  #count = 0;

  constructor(world: ExchangeWorld) {
    this.#world = world;
  }

  get #alive(): readonly ExchangeNode[] {
    return this.#world.nodes.filter(({ view }) => view.state === "live");
  }

  async begin(): Promise<void> {
    for (const slots of [0, 2, 3, 1]) await this.#join(slots);
  }

  async take(step: Step): Promise<void> {
    const [world, alive] = [this.#world, this.#alive];
    const nodeAt = (index: number): ExchangeNode => alive[index % alive.length] as ExchangeNode;
    switch (step.kind) {
      case "submit":
        return this.#submit(nodeAt(step.node), step);
      case "cancel":
        return this.#cancel(step.attempt);
      case "kill":
        return alive.length > 2 ? this.#kill(nodeAt(step.node)) : undefined;
      case "leave":
        return alive.length > 2 ? this.#leave(nodeAt(step.node)) : undefined;
      case "join":
        return this.#world.nodes.length < 9 ? this.#join(step.slots) : undefined;
      case "partition":
        return step.from === step.to ? undefined : world.network.partition(nodeAt(step.from).name, nodeAt(step.to).name, step.isOneWay);
      case "heal":
        return world.network.heal();
      case "network": {
        const { delayMs, loss, duplication, reordering } = step;
        return world.network.setFaults({ loss, duplication, reordering, delayMs: [0, delayMs] });
      }
      case "wait":
        return world.pass(step.ms, 10);
    }
  }

  /** Mends everything, and checks what must be so then. */
  async end(): Promise<void> {
    const world = this.#world;
    world.network.heal();
    world.network.setFaults({});
    await this.#join(4);
    world.show();
    await world.passUntil("everybody gone who was to leave", () => world.nodes.every(({ view }) => view.state !== "draining"), 30_000);
    const isSettled = (): boolean => this.#submitted.every(({ node, id }) => node.view.state !== "live" || node.outcomes.has(id));
    const longestMs = LOAN_MS + LONGEST_TASK_MS * (2 + this.#submitted.length / 4);
    for (let passedMs = 0; passedMs < longestMs && !isSettled(); passedMs += 500) await world.pass(500, 20);
    const stuck = this.#submitted.filter(({ node, id }) => node.view.state === "live" && !node.outcomes.has(id));
    assert.deepEqual(
      stuck.map(({ id }) => id),
      [],
      "nothing is stuck",
    );
    for (const { node, id, isCancelled } of this.#submitted) {
      const outcome = node.outcomes.get(id);
      if (node.view.state === "live" && !isCancelled) assert.equal(outcome?.kind, "completed");
    }
    await world.pass(LOAN_MS / 2, 20);
    for (const { name, pool, view } of world.nodes)
      if (view.state === "live") assert.equal(pool.running.size, 0, `${name} executes nothing any more`);
    await this.#useEverySlot();
    await Promise.all(this.#leaving);
    await world.end();
  }

  /** Every executor has all of its slots back: it executes as much at once as it can. */
  async #useEverySlot(): Promise<void> {
    const executors = this.#alive.filter(({ slots }) => slots > 0);
    for (const node of executors) for (let slot = 0; slot < node.slots; slot += 1) this.#world.submit(node, 1_000);
    for (const { name, pool, slots } of executors) assert.equal(pool.running.size, slots, `${name} has lost slots`);
    await this.#world.pass(2_000, 20);
  }

  #submit(node: ExchangeNode, { count, durationMs, priority, queue }: Step & { kind: "submit" }): void {
    for (let n = 0; n < count; n += 1) {
      const id = this.#world.submit(node, durationMs, { priority, queue });
      this.#submitted.push({ node, id, isCancelled: false });
    }
  }

  #cancel(index: number): void {
    const attempt = this.#submitted[index % Math.max(this.#submitted.length, 1)];
    if (attempt === undefined || attempt.node.view.state !== "live") return;
    attempt.isCancelled = true;
    attempt.node.exchange.pool.cancel(attempt.id);
  }

  #kill(node: ExchangeNode): void {
    this.#world.kill(node);
    this.#world.clock.schedule(NOTICED_MS, () => this.#world.show());
  }

  /** It stops as a node does: it has handed its runs over, so it wants none of their attempts any more, and gives back what it was lent. */
  #leave(node: ExchangeNode): void {
    node.view.state = "draining";
    this.#world.show();
    const leaving = async (): Promise<void> => {
      await node.exchange.drain(1_000, new AbortController().signal);
      await node.exchange.pool.stop(0);
      node.exchange.stop();
      node.view.state = "released";
      this.#world.show();
    };
    this.#leaving.push(leaving());
  }

  async #join(slots: number): Promise<void> {
    this.#count += 1;
    await this.#world.start(`n${this.#count}`, { slots });
  }
}

describe("the exchange of tasks, under any schedule", function () {
  this.timeout(300_000);

  it("settles every attempt once, exceeds no slots, lends nothing twice, and leaves nothing stuck", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40, size: "max" }), fc.nat(), async (steps, seed) => {
        const schedule = new Schedule(new ExchangeWorld(seed));
        await schedule.begin();
        for (const step of steps) await schedule.take(step);
        await schedule.end();
      }),
      { numRuns: Number(process.env.EXCHANGE_RUNS ?? 60) },
    );
  });
});
