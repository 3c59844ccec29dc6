/**
 * Laws of routing, for any schedule: whatever runs are started and told from whichever node, while shards are handed over, nodes die, and the network loses,
 * repeats and reorders messages: every call of a node that lives succeeds, no run begins twice, and each hears what it is told once, in the order of each sender.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { RunId } from "../../runtime/ids.ts";
import { shardOf } from "../../runtime/ids.ts";
import { type ClusterNode, ClusterWorld } from "../support/cluster-world.ts";
import { CALLS, FOREVER, SIGNAL } from "../support/runs-bed.ts";
import { startOf } from "../support/runs-node.ts";

type Step =
  | { readonly kind: "start" | "execute" | "keyed"; readonly node: number }
  | { readonly kind: "signal"; readonly node: number; readonly run: number; readonly times: number }
  | { readonly kind: "hand over"; readonly run: number; readonly to: number; readonly many: boolean }
  | { readonly kind: "kill"; readonly node: number }
  | { readonly kind: "network"; readonly loss: number; readonly duplication: number; readonly delayMs: number }
  | { readonly kind: "wait"; readonly ms: number };

const place = fc.nat(20);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("start", "execute", "keyed"), node: place }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("signal" as const), node: place, run: place, times: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("hand over" as const), run: place, to: place, many: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill" as const), node: place }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("network" as const),
      loss: fc.constantFrom(0, 0.1, 0.3),
      duplication: fc.constantFrom(0, 0.3),
      delayMs: fc.nat(30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 80 }) }) },
);

/** One schedule, and what was asked for in it. */
class Schedule {
  readonly #world: ClusterWorld;
  readonly #workflows: { readonly signal: string; readonly calls: string };
  readonly #runs: RunId[] = [];
  /** What each sender told each run, in the order of its calls: `run/sender`. */
  readonly #told = new Map<string, string[]>();
  readonly #calls: { readonly node: ClusterNode; readonly call: Promise<unknown> }[] = [];
  readonly #movesUnderWay: Promise<void>[] = [];
  #keyed = new Set<RunId>();
  #asked = 0;
  #number = 0;

  constructor(world: ClusterWorld, workflows: { readonly signal: string; readonly calls: string }) {
    this.#world = world;
    this.#workflows = workflows;
  }

  async take(step: Step): Promise<void> {
    const world = this.#world;
    const nodeAt = (index: number): ClusterNode => world.alive[index % world.alive.length] as ClusterNode;
    switch (step.kind) {
      case "start":
        return this.#call(nodeAt(step.node), (node) =>
          node.runs.start(startOf(this.#workflows.signal)).then(({ runId }) => void this.#runs.push(runId)),
        );
      case "execute":
        return this.#call(nodeAt(step.node), async (node) => {
          assert.equal((await node.runs.execute(startOf(this.#workflows.calls), FOREVER)).status, "completed");
        });
      case "keyed":
        return this.#call(
          nodeAt(step.node),
          async (node) => {
            this.#keyed.add((await node.runs.start(startOf(this.#workflows.calls, {}, { idempotencyKey: "default/one" }))).runId);
          },
          false,
        );
      case "signal":
        for (let n = 0; n < step.times; n += 1) this.#signal(nodeAt(step.node), this.#runs[step.run % Math.max(this.#runs.length, 1)]);
        return;
      case "hand over":
        return this.#handOver(this.#runs[step.run % Math.max(this.#runs.length, 1)], nodeAt(step.to), step.many);
      case "kill":
        await Promise.all(this.#movesUnderWay.map((move) => world.finish(move)));
        if (world.alive.length > 1) await world.finish(world.kill(nodeAt(step.node)));
        return;
      case "network":
        return world.network.setFaults({ ...step, reordering: 0.1, delayMs: [0, step.delayMs] });
      case "wait":
        return world.finish(new Promise<void>((resolve) => void world.clock.schedule(step.ms, resolve)));
    }
  }

  /** Lets everything end, and looks what became of it. */
  async judge(): Promise<void> {
    const world = this.#world;
    world.network.setFaults({});
    await Promise.all(this.#movesUnderWay.map((move) => world.finish(move)));
    const isLost = this.#calls.some(({ node }) => !node.isAlive);
    await world.finish(Promise.all(this.#calls.filter(({ node }) => node.isAlive).map(({ call }) => call)));
    world.checkHistories();
    assert.ok(this.#keyed.size <= 1, "a key stands for one run");
    if (!isLost) assert.equal(world.store.memory.runs.size, this.#asked + this.#keyed.size, "as many runs as were asked for");
    for (const runId of this.#runs) await this.#judgeSignals(runId);
  }

  async #judgeSignals(runId: RunId): Promise<void> {
    const world = this.#world;
    const [node] = world.alive;
    const entries = await world.finish((node as ClusterNode).runs.history(runId, 1, 10_000));
    const heard = entries.filter(({ type }) => type === "signal.received").map(({ details }) => String(JSON.parse(details).payload));
    assert.equal(new Set(heard).size, heard.length, "no signal is heard twice");
    for (const sender of world.nodes) {
      const told = this.#told.get(`${runId}/${sender.name}`) ?? [];
      const fromSender = heard.filter((payload) => payload.includes(`${sender.name}:`));
      // What a node that died had told may have been heard or not, but nothing out of its turn.
      if (sender.isAlive) assert.deepEqual(fromSender, told, `what ${sender.name} told is heard in its order`);
      else
        assert.deepEqual(
          fromSender,
          told.filter((payload) => fromSender.includes(payload)),
        );
    }
  }

  #call(node: ClusterNode, ask: (node: ClusterNode) => Promise<void>, isCounted = true): void {
    if (isCounted) this.#asked += 1;
    this.#track(node, ask(node));
  }

  #track(node: ClusterNode, call: Promise<unknown>): void {
    // Calls of a node that dies end somehow; those of others are judged at the end.
    call.catch(() => undefined);
    this.#calls.push({ node, call });
  }

  #signal(node: ClusterNode, runId: RunId | undefined): void {
    if (runId === undefined) return;
    const payload = `${node.name}:${this.#number++}`;
    const key = `${runId}/${node.name}`;
    this.#told.set(key, [...(this.#told.get(key) ?? []), payload]);
    this.#track(node, node.runs.signal(runId, { name: "other", payload: JSON.stringify(payload), signalId: "" }));
  }

  async #handOver(runId: RunId | undefined, to: ClusterNode, many: boolean): Promise<void> {
    if (runId === undefined) return;
    const world = this.#world;
    await Promise.all(this.#movesUnderWay.splice(0).map((move) => world.finish(move)));
    const from = await world.ownerOf(runId);
    if (from === to || !from.isAlive) return;
    const shards = many ? [...from.held.open].slice(0, 200) : [];
    const move = world.move(new Set([shardOf(runId), ...shards]), from, to);
    move.catch(() => undefined);
    this.#movesUnderWay.push(move);
  }
}

describe("calls in a cluster", function () {
  this.timeout(120_000);

  it("succeed, and do once what they ask, through any schedule of hand-overs, deaths and faults", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), fc.array(STEP, { minLength: 5, maxLength: 40 }), async (seed, steps) => {
        const world = new ClusterWorld({ charge: (input) => input, ship: (input) => input }, seed);
        await world.begin(3);
        try {
          const schedule = new Schedule(world, { signal: await world.store.deploy(SIGNAL), calls: await world.store.deploy(CALLS) });
          for (const step of steps) await schedule.take(step);
          await schedule.judge();
        } finally {
          await world.end();
        }
      }),
      { numRuns: 30 },
    );
  });
});
