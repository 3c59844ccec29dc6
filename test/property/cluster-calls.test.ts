/**
 * Laws of routing, for any schedule: whatever runs are started and told from whichever node, while shards are handed over, nodes die, stores are slow
 * and take no more, and the network loses, repeats and reorders messages: every call of a node that lives succeeds, no run begins twice, and each
 * hears what it is told once, in the order of each sender. Clients believe what they are told: what is refused for now was not done, and they ask for
 * it anew, as of something else.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type ErrorCode, MaestroError } from "../../runtime/errors.ts";
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
  | { readonly kind: "overload"; readonly node: number; readonly run: number; readonly ms: number }
  | { readonly kind: "wait"; readonly ms: number };

/** Few writes fill a journal. */
const JOURNAL_BOUNDS = { queueWrites: 2, queueBytes: 1_000_000, refusedRuns: 1_000 };
const STARTS_TO_FILL = 5;
/** What a client takes for "not done, come again". */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(["JOURNAL_OVERLOADED", "NODE_OVERLOADED", "MAILBOX_FULL", "ASKS_FULL"]);

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
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("overload" as const), node: place, run: place, ms: fc.integer({ min: 3_000, max: 9_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 80 }) }) },
);

/** A request came twice; that its run had moved was said the second time, while the first was being carried out, and then its caller heard a refusal. */
const TOLD_TWICE: Step[] = [
  { kind: "network", loss: 0, duplication: 0.3, delayMs: 0 },
  { kind: "start", node: 0 },
  { kind: "wait", ms: 1 },
  { kind: "overload", node: 4, run: 0, ms: 3_000 },
  { kind: "hand over", run: 0, to: 1, many: false },
  { kind: "overload", node: 0, run: 0, ms: 3_000 },
  { kind: "start", node: 0 },
  { kind: "wait", ms: 1 },
  { kind: "kill", node: 0 },
  { kind: "signal", node: 0, run: 0, times: 1 },
];

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
      case "overload":
        return this.#overload(nodeAt(step.node), this.#runs[step.run % Math.max(this.#runs.length, 1)], step.ms);
      case "wait":
        return world.finish(this.#pause(step.ms));
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
    this.#track(
      node,
      this.#insist(() => ask(node)),
    );
  }

  /** Asks until it is not refused for now. `refused`: hears of each refusal before it asks again. */
  async #insist(ask: () => Promise<void>, refused = (): void => undefined): Promise<void> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof MaestroError) || !REFUSALS.has(error.code)) throw error;
        refused();
        await this.#pause(error.retryAfterMs ?? 1_000);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.clock.schedule(ms, resolve));
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
    const told = this.#told.get(key) ?? [];
    this.#told.set(key, told);
    const tell = (): Promise<void> => {
      told.push(payload);
      return node.runs.signal(runId, { name: "other", payload: JSON.stringify(payload), signalId: "" });
    };
    this.#track(
      node,
      this.#insist(tell, () => void told.splice(told.indexOf(payload), 1)),
    );
  }

  /** What a run is told takes longer, perhaps, than its answer is waited for, and the journal of its node fills behind it. */
  async #overload(from: ClusterNode, runId: RunId | undefined, ms: number): Promise<void> {
    if (runId === undefined) return;
    const owner = await this.#world.ownerOf(runId);
    owner.faults.inject({ kind: "none", delayMs: ms });
    this.#signal(from, runId);
    await this.#world.finish(this.#pause(5));
    for (let n = 0; n < STARTS_TO_FILL; n += 1) await this.take({ kind: "start", node: this.#world.alive.indexOf(owner) });
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
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), fc.array(STEP, { minLength: 5, maxLength: 40, size: "max" }), async (seed, steps) => {
        const world = new ClusterWorld({ charge: (input) => input, ship: (input) => input }, seed);
        world.journalBounds = JOURNAL_BOUNDS;
        await world.begin(3);
        try {
          const schedule = new Schedule(world, { signal: await world.store.deploy(SIGNAL), calls: await world.store.deploy(CALLS) });
          for (const step of steps) await schedule.take(step);
          await schedule.judge();
        } finally {
          await world.end();
        }
      }),
      { numRuns: 60, examples: [[499_996, TOLD_TWICE]] },
    );
  });
});
