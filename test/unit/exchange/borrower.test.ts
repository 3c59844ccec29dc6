/** What an executor does while a lender is silent, or changes its mind: its own attempts and those of other lenders go on as if that one were not there. */
import assert from "node:assert/strict";
import { PATIENCE } from "../../../runtime/workers/thread-pool-options.ts";
import { type ExchangeNode, ExchangeWorld, LOAN_MS } from "../../support/exchange-world.ts";

const LONG_MS = 60_000;

describe("an executor", () => {
  let world: ExchangeWorld;

  beforeEach(() => {
    world = new ExchangeWorld();
  });

  afterEach(async () => {
    await world.end();
  });

  /** How long an attempt of 10 ms takes, submitted now, in virtual milliseconds. */
  async function latencyOf(node: ExchangeNode): Promise<number> {
    const startMs = world.clock.monotonic();
    const id = world.submit(node, 10);
    await world.passUntil("a short attempt has completed", () => node.outcomes.has(id), 30_000);
    return world.clock.monotonic() - startMs;
  }

  // A renewal is due about 3.5 seconds after a take, and not before.
  for (const silentAfterMs of [3_000, 3_400, 3_600, 3_900]) {
    it(`has its slots while a lender is silent that it holds something of, from ${silentAfterMs} ms on`, async () => {
      const [silent, other] = [await world.start("silent", { slots: 0 }), await world.start("other", { slots: 0 })];
      const executor = await world.start("x", { slots: 4 });
      world.submit(silent, LONG_MS);
      await world.passUntil("it is executed", () => executor.pool.running.size === 1);
      await world.pass(silentAfterMs);
      world.network.partition("x", "silent", true);
      for (let count = 0; count < 8; count += 1) world.submit(silent, 10);
      await world.pass(1_000);
      const latencies: number[] = [];
      for (const node of [executor, other, executor, other]) latencies.push(await latencyOf(node));
      assert.ok(
        latencies.every((latencyMs) => latencyMs <= 2_500),
        latencies.join(),
      );
      await world.pass(5_000);
      assert.ok((await latencyOf(other)) <= 500, "once it is known to be silent, nearly nothing is kept for it");
    });
  }

  it("executes what its own runs have at once, whatever it has asked others for", async () => {
    const [frozen, executor] = [await world.start("frozen", { slots: 0 }), await world.start("x", { slots: 4 })];
    await world.pass(100);
    world.network.partition("x", "frozen", true);
    for (let count = 0; count < 8; count += 1) world.submit(frozen, 10);
    await world.pass(50);
    for (let count = 0; count < 5; count += 1) assert.ok((await latencyOf(executor)) <= 15);
    world.network.heal();
    await world.passUntil("the other's are executed", () => frozen.outcomes.size === 8, 5_000);
  });

  it("executes nothing of what is cancelled on the heels of its taking", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 4 })];
    let id = "";
    engine.events.on("tasks.lent", () => setImmediate(() => engine.exchange.pool.cancel(id)));
    id = world.submit(engine, LONG_MS);
    await world.passUntil("it is cancelled", () => engine.outcomes.get(id)?.kind === "cancelled", 100);
    assert.equal(executor.pool.running.size, 0);
  });

  it("says that an execution has stopped which a renewal called unwanted", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 4 })];
    const id = world.submit(engine, LONG_MS);
    await world.passUntil("it is executed", () => executor.pool.running.size === 1);
    world.network.partition("engine", "x", true);
    engine.exchange.pool.cancel(id);
    await world.pass(20);
    world.network.heal();
    await world.passUntil("it is cancelled", () => engine.outcomes.get(id)?.kind === "cancelled", LOAN_MS / 3 + 1_500);
    assert.equal(executor.pool.running.size, 0);
  });

  it("gives nothing back that it still executes, as long as its pool may take to stop it", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 4 })];
    const id = world.submit(engine, LONG_MS);
    await world.passUntil("it is executed", () => executor.pool.running.size === 1);
    executor.pool.stopsAfterMs = PATIENCE.cancelGraceMs + PATIENCE.blockedMs;
    const drained = executor.exchange.drain(0, new AbortController().signal);
    await world.pass(executor.pool.stopsAfterMs - 100);
    assert.deepEqual([executor.pool.running.size, engine.lentEvents, engine.outcomes.has(id)], [1, [], false]);
    await world.passUntil("it is given back", () => engine.lentEvents.length > 0, 1_000);
    assert.equal(executor.pool.running.size, 0);
    await world.pass(100);
    await drained;
  });

  it("does not leave before it has heard what it asked for, and gives that back", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 4 })];
    await world.pass(100);
    world.network.setFaults({ delayMs: [100, 100] });
    world.submit(engine, LONG_MS);
    await world.passUntil("it is lent", () => engine.exchange.pool.lender.lentCount === 1, 1_000);
    let isDrained = false;
    const drained = executor.exchange.drain(0, new AbortController().signal).then(() => {
      isDrained = true;
    });
    await world.passUntil("it has drained", () => isDrained, 2_000);
    await drained;
    assert.deepEqual(engine.lentEvents, [{ count: 1, reason: "givenBack" }]);
  });
});
