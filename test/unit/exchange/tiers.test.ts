/** Each tier of an executor has slots of its own, and each handler a line of its own: what waits for one keeps nothing from the other. */
import assert from "node:assert/strict";
import { EventHub } from "../../../runtime/events.ts";
import { offersSubject } from "../../../runtime/exchange/task-calls.ts";
import { type ExchangeNode, ExchangeWorld } from "../../support/exchange-world.ts";

const LONG_MS = 60_000;
const HANDLERS = { work: {}, heavy: { tier: "process" as const } };

describe("the slots of an executor", () => {
  let world: ExchangeWorld;

  beforeEach(() => {
    world = new ExchangeWorld();
  });

  afterEach(async () => {
    await world.end();
  });

  function submitMany(node: ExchangeNode, count: number, durationMs: number, handler: string): void {
    for (let n = 0; n < count; n += 1) world.submit(node, durationMs, { handler });
  }

  it("are those of a tier: a full child process keeps nothing out of the threads", async () => {
    const node = await world.start("n", { slots: 4, handlers: HANDLERS });
    submitMany(node, 6, LONG_MS, "heavy");
    const id = world.submit(node, 10);
    await world.passUntil("the other tier's has completed", () => node.outcomes.has(id), 30);
    assert.equal(node.pool.running.size, 4);
  });

  it("are asked for by tier, so that what is lent finds its own", async () => {
    const engine = await world.start("engine", { slots: 0, handlers: HANDLERS });
    const executor = await world.start("x", { slots: 4, handlers: HANDLERS });
    submitMany(engine, 6, LONG_MS, "heavy");
    await world.passUntil("as many as there are slots are executed", () => executor.pool.running.size === 4, 2_000);
    const id = world.submit(engine, 10);
    await world.passUntil("the other tier's has completed", () => engine.outcomes.has(id), 50);
    submitMany(engine, 10, LONG_MS, "work");
    await world.passUntil("the threads are full too", () => executor.pool.running.size === 8, 2_000);
    await world.pass(3_000);
    assert.equal(engine.exchange.pool.lender.backlog.size, 8);
  });

  it("are told of each handler whose attempts begin to wait, also behind another one's in the same queue", async () => {
    const handlers = { work: {}, slow: {} };
    const engine = await world.start("engine", { slots: 0, handlers });
    await world.start("busy", { slots: 1, handlers: { slow: {} } });
    await world.start("idle", { slots: 4 });
    submitMany(engine, 2, LONG_MS, "slow");
    await world.pass(3_000);
    for (let count = 0; count < 5; count += 1) {
      const id = world.submit(engine, 10);
      await world.passUntil("it has completed", () => engine.outcomes.has(id), 50);
      await world.pass(333);
    }
  });

  it("hear what waits by numbers that are counted as attempts come and go", async () => {
    const engine = await world.start("engine", { slots: 0, handlers: HANDLERS });
    const listener = world.network.join("listener", new EventHub());
    let told = 0;
    listener.subscribe(offersSubject("test"), () => {
      told += 1;
    });
    await world.pass(10);
    submitMany(engine, 3, 10, "work");
    await world.pass(500);
    submitMany(engine, 2, 10, "heavy");
    assert.deepEqual(
      [...engine.exchange.pool.lender.backlog.queues()].map(([name, { waiting, processWaiting }]) => [name, waiting, processWaiting]),
      [["default", 5, 2]],
    );
    assert.equal(engine.exchange.queues()[0]?.oldestWaitMs, 500);
    assert.ok(told >= 1 && told <= 3, `${told} summaries`);
    await listener.close();
    const executor = await world.start("x", { slots: 2, handlers: HANDLERS });
    await world.passUntil("all are executed", () => engine.outcomes.size === 5, 3_000);
    assert.equal(executor.pool.executed.length, 5);
    const { backlog, lentByQueue } = engine.exchange.pool.lender;
    assert.deepEqual([[...backlog.queues()], [...lentByQueue]], [[], []]);
  });
});
