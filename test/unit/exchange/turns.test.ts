/** Whose turn it is for a slot: an executor's own runs', or those of other nodes. */
import assert from "node:assert/strict";
import { type ExchangeNode, ExchangeWorld } from "../../support/exchange-world.ts";
import { attemptOf } from "../../support/worker-attempts.ts";

const TASK_MS = 50;

describe("slots of an executor whose own runs could fill them for ever", () => {
  let world: ExchangeWorld;
  let isOver: boolean;

  beforeEach(() => {
    world = new ExchangeWorld();
    isOver = false;
  });

  afterEach(async () => {
    isOver = true;
    await world.end();
  });

  /** Has so many attempts of a node's own under way at any time. */
  function saturate(node: ExchangeNode, count: number, priority = 3): void {
    const submit = (): void =>
      node.exchange.pool.submit(attemptOf("work", { durationMs: TASK_MS }, { task: "own", priority }), () => isOver || submit());
    for (let n = 0; n < count; n += 1) submit();
  }

  const ownOf = ({ pool }: ExchangeNode): number => pool.executed.filter(({ task }) => task === "own").length;

  for (const [what, count] of Object.entries({ "although none is ever free": 40, "although its own are back as soon as one is free": 4 })) {
    it(`go to attempts of an engine without executors, too, ${what}`, async () => {
      const [engine, executors] = [await world.start("engine", { slots: 0 }), [await world.start("x1"), await world.start("x2")]];
      for (const executor of executors) saturate(executor, count);
      await world.pass(1_000);
      const ids = Array.from({ length: 20 }, () => world.submit(engine, TASK_MS));
      const before = executors.map(ownOf);
      await world.passUntil("all of the engine's completed", () => engine.outcomes.size === ids.length, 10_000);
      for (const [place, executor] of executors.entries()) assert.ok(ownOf(executor) - (before[place] ?? 0) >= 10, "its own went on meanwhile");
    });
  }

  it("go to what is urgent of their own before what has waited a little longer elsewhere", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x")];
    saturate(executor, 40, 1);
    await world.pass(500);
    const id = world.submit(engine, TASK_MS);
    await world.pass(10_000);
    assert.equal(engine.outcomes.get(id), undefined);
    await world.passUntil("it is its turn all the same", () => engine.outcomes.has(id), 20_000);
  });

  it("are not exchanged between nodes that have the same to do", async () => {
    const nodes = [await world.start("n1"), await world.start("n2")];
    for (const node of nodes) saturate(node, 40);
    await world.pass(1_000);
    const executed = nodes.map(({ pool }) => pool.executed.length);
    let lent = 0;
    for (const { events } of nodes) events.on("tasks.lent", ({ count }) => (lent += count));
    await world.pass(3_000);
    const all = nodes.reduce((sum, { pool }, place) => sum + pool.executed.length - (executed[place] ?? 0), 0);
    assert.ok(lent * 10 < all, `${lent} of ${all} were lent`);
  });

  it("are kept for nobody who does not answer", async () => {
    const [silent, executor] = [await world.start("silent", { slots: 0 }), await world.start("x", { slots: 1 })];
    saturate(executor, 10);
    await world.pass(500);
    world.submit(silent, TASK_MS);
    await world.pass(200);
    world.network.partition(executor.name, silent.name, true);
    const before = ownOf(executor);
    await world.pass(5_000);
    assert.ok(ownOf(executor) - before >= 80, `${ownOf(executor) - before} in 5 s`);
  });
});
