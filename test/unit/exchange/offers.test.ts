/**
 * When an executor asks for what waits elsewhere: at once, whenever it has slots and something waits, and not with the next summary, which says
 * everything again.
 */
import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { ExchangeWorld } from "../../support/exchange-world.ts";

/** Summaries are a second apart. What is executed sooner than this after a few calls did not wait for one. */
const SOON_MS = 100;

describe("what waits for an executor with free slots", () => {
  let world: ExchangeWorld;

  beforeEach(() => {
    world = new ExchangeWorld();
  });

  afterEach(async () => {
    await world.end();
  });

  it("is taken as soon as the results are noted for which nothing could be taken", async () => {
    const count = 4 * LIMITS.attemptsPerTake;
    const [engine] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: count })];
    await world.pass(50);
    for (let n = 0; n < count; n += 1) world.submit(engine, 0);
    await world.passUntil("all have completed", () => engine.outcomes.size === count, SOON_MS);
  });

  it("is taken at once if it was offered after the answer to a take, and heard before that was read", async () => {
    const [engine] = [await world.start("engine", { slots: 0 }), await world.start("x")];
    await world.pass(50);
    for (let round = 0; round < 5; round += 1) {
      let late = "";
      const submitLate = (): void => {
        late = world.submit(engine, 0);
      };
      const stop = engine.events.on("tasks.lent", () => setImmediate(submitLate));
      const early = world.submit(engine, 0);
      await world.passUntil("the first is lent", () => engine.exchange.pool.lender.lentCount === 1, SOON_MS);
      stop();
      await world.passUntil("both have completed", () => [early, late].every((id) => engine.outcomes.has(id)), SOON_MS);
    }
  });

  it("is taken at once when slots become free, whatever had them", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 2 })];
    await world.pass(50);
    for (let n = 0; n < 2; n += 1) world.submit(executor, 300);
    for (let n = 0; n < 6; n += 1) world.submit(engine, 300);
    const startMs = world.clock.monotonic();
    await world.passUntil("all have completed", () => engine.outcomes.size === 6, 3_000);
    const tookMs = world.clock.monotonic() - startMs;
    assert.ok(tookMs <= 4 * 300 + SOON_MS, `${tookMs} ms`);
  });
});
