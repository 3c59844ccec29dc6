/** The exchange of attempts between nodes, over a network in memory and on a virtual clock. */
import assert from "node:assert/strict";
import { type ExchangeNode, ExchangeWorld, LOAN_MS } from "../../support/exchange-world.ts";
import { attemptOf } from "../../support/worker-attempts.ts";

const LONG_MS = 60_000;

function isCompleted(node: ExchangeNode, ...ids: readonly string[]): boolean {
  return ids.every((id) => node.outcomes.get(id)?.kind === "completed");
}

describe("the exchange of tasks", () => {
  let world: ExchangeWorld;

  beforeEach(() => {
    world = new ExchangeWorld();
  });

  afterEach(async () => {
    await world.end();
  });

  it("executes an attempt on the node that has it as long as that has slots", async () => {
    const [n1, n2] = [await world.start("n1"), await world.start("n2")];
    const ids = [1, 2, 3, 4].map(() => world.submit(n1, 50));
    await world.passUntil("all completed", () => isCompleted(n1, ...ids));
    assert.deepEqual([n1.pool.executed.length, n2.pool.executed.length], [4, 0]);
  });

  it("executes what waits before what is submitted as a slot becomes free", async () => {
    const node = await world.start("n1", { slots: 1 });
    const submitLater = (): void => void world.submit(node, 10, { task: "later" });
    node.exchange.pool.submit(attemptOf("work", { durationMs: 10 }, { task: "first" }), submitLater);
    world.submit(node, 10, { task: "waiting" });
    await world.passUntil("all completed", () => node.outcomes.size === 2);
    assert.deepEqual(
      node.pool.executed.map(({ task }) => task),
      ["first", "waiting", "later"],
    );
  });

  it("gives what is too much to a node with free slots, and never more than it has", async () => {
    const [n1, n2] = [await world.start("n1"), await world.start("n2", { slots: 3 })];
    const ids = Array.from({ length: 20 }, () => world.submit(n1, 100));
    await world.passUntil("all completed", () => isCompleted(n1, ...ids));
    assert.equal(n2.pool.peak, 3);
    assert.equal(n1.pool.executed.length + n2.pool.executed.length, 20);
  });

  it("executes nothing on a node that is no executor", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("executor")];
    const id = world.submit(engine, 10);
    await world.passUntil("it completed", () => isCompleted(engine, id), 200);
    assert.deepEqual(engine.outcomes.get(id), { kind: "completed", output: '"executor"' });
    assert.equal(executor.pool.executed[0]?.idempotencyKey.startsWith("key-"), true);
  });

  it("shares what waits among the executors", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const executors = [await world.start("x1", { slots: 50 }), await world.start("x2", { slots: 50 })];
    await world.pass(2_000);
    const ids = Array.from({ length: 40 }, () => world.submit(engine, 1_000));
    await world.passUntil("all completed", () => isCompleted(engine, ...ids));
    for (const { pool } of executors) assert.ok(pool.executed.length >= 10, `${pool.executed.length} of 40`);
  });

  it("serves several engines in turn", async () => {
    const engines = [await world.start("e1", { slots: 0 }), await world.start("e2", { slots: 0 })];
    const executor = await world.start("x", { slots: 2 });
    await world.pass(1_000);
    for (let count = 0; count < 50; count += 1) for (const engine of engines) world.submit(engine, 100, { runId: engine.name });
    await world.pass(1_500);
    const ofFirst = executor.pool.executed.filter(({ runId }) => runId === "e1").length;
    const all = executor.pool.executed.length;
    assert.ok(all >= 20 && Math.abs(2 * ofFirst - all) <= 4, `${ofFirst} of ${all} for the first`);
  });

  it("takes the urgent first, and the older first among equals", async () => {
    const [engine] = [await world.start("engine", { slots: 0 }), await world.start("x", { slots: 1 })];
    const first = world.submit(engine, 100, { task: "first" });
    await world.pass(20);
    for (const [task, priority] of Object.entries({ a: 3, b: 3, urgent: 1, late: 5 })) world.submit(engine, 10, { task, priority });
    await world.passUntil("all completed", () => engine.outcomes.size === 5 && engine.outcomes.has(first));
    assert.deepEqual(
      world.nodes[1]?.pool.executed.map(({ task }) => task),
      ["first", "urgent", "a", "b", "late"],
    );
  });

  it("executes only queues that a node serves, and tells of one that nobody serves", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const [gpu, plain] = [await world.start("x1", { serves: ["gpu"] }), await world.start("x2", { serves: ["default"] })];
    const ids = [world.submit(engine, 10, { queue: "gpu" }), world.submit(engine, 10)];
    const orphan = world.submit(engine, 10, { queue: "nobodys" });
    await world.passUntil("both completed", () => isCompleted(engine, ...ids));
    assert.deepEqual([gpu.pool.executed.map(({ queue }) => queue), plain.pool.executed.map(({ queue }) => queue)], [["gpu"], ["default"]]);
    await world.pass(8_000);
    assert.deepEqual([engine.unserved, engine.outcomes.has(orphan)], [["nobodys"], false]);
    assert.deepEqual(
      engine.exchange.queues().map(({ queue, waiting, executors }) => [queue, waiting, executors.length]),
      [
        ["default", 0, 1],
        ["gpu", 0, 1],
        ["nobodys", 1, 0],
      ],
    );
  });

  it("goes on elsewhere at once with what a lost executor had, kept from the executors' own processes", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const doomed = await world.start("x1");
    const id = world.submit(engine, LONG_MS);
    await world.passUntil("it is executed", () => doomed.pool.executed.length === 1);
    const heir = await world.start("x2");
    world.kill(doomed);
    world.show();
    await world.passUntil("it is executed again", () => heir.pool.executed.length === 1, 1_500);
    assert.equal(heir.pool.executed[0]?.isolation, "process");
    await world.passUntil("it completed", () => isCompleted(engine, id), 2 * LONG_MS);
  });

  it("goes on elsewhere with what an executor does not renew, and counts the first result only", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const silent = await world.start("x1");
    const id = world.submit(engine, 2 * LOAN_MS);
    await world.passUntil("it is executed", () => silent.pool.executed.length === 1);
    world.network.partition("engine", "x1");
    const other = await world.start("x2");
    await world.passUntil("it is executed again", () => other.pool.executed.length === 1, LOAN_MS + 2_000);
    world.network.heal();
    await world.passUntil("it completed", () => isCompleted(engine, id), 4 * LOAN_MS);
    await world.pass(LOAN_MS);
    assert.deepEqual([silent.pool.running.size, other.pool.running.size], [0, 0], "whoever was not first has stopped");
  });

  it("has an executor stop what another one has meanwhile", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const silent = await world.start("x1");
    world.submit(engine, 10 * LOAN_MS);
    await world.passUntil("it is executed", () => silent.pool.executed.length === 1);
    world.network.partition("engine", "x1");
    const other = await world.start("x2");
    await world.passUntil("it is executed again", () => other.pool.executed.length === 1, LOAN_MS + 2_000);
    world.network.heal();
    await world.passUntil("the first has stopped", () => silent.pool.running.size === 0, LOAN_MS);
    assert.equal(other.pool.running.size, 1);
  });

  it("sends a result until it is noted", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const executor = await world.start("x");
    const id = world.submit(engine, 500);
    await world.passUntil("it is executed", () => executor.pool.executed.length === 1);
    world.network.partition("engine", "x");
    await world.pass(4_000);
    world.network.heal();
    await world.passUntil("it completed", () => isCompleted(engine, id), 3_000);
    assert.deepEqual([executor.pool.executed.length, engine.lentEvents], [1, []]);
  });

  it("lets an executor that was silent for too long go on if nobody else has begun", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const silent = await world.start("x1");
    const id = world.submit(engine, 3 * LOAN_MS);
    await world.passUntil("it is executed", () => silent.pool.executed.length === 1);
    world.network.partition("engine", "x1");
    await world.passUntil("the loan is over", () => engine.lentEvents.length === 1, LOAN_MS + 2_000);
    world.network.heal();
    await world.passUntil("it completed", () => isCompleted(engine, id), 4 * LOAN_MS);
    assert.equal(silent.pool.executed.length, 1);
  });

  it("stops an execution that nobody wants, and says so when it has stopped", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x", { serves: ["default"] })];
    const [lent, waiting] = [world.submit(engine, LONG_MS), world.submit(engine, LONG_MS, { queue: "nobodys" })];
    await world.passUntil("it is executed", () => executor.pool.executed.length === 1);
    engine.exchange.pool.cancel(lent);
    engine.exchange.pool.cancel(waiting);
    await world.passUntil("both were cancelled", () => engine.outcomes.size === 2, 100);
    assert.deepEqual([...engine.outcomes.values()], [{ kind: "cancelled" }, { kind: "cancelled" }]);
    assert.equal(executor.pool.running.size, 0);
  });

  it("fails an attempt whose handler no executor has, but only after a while: one that has it may be starting again", async () => {
    const handlers = { work: {}, rare: {} };
    const engine = await world.start("engine", { slots: 0, handlers });
    await world.start("x1", { slots: 1 });
    const id = world.submit(engine, 10, { handler: "rare" });
    const plain = world.submit(engine, 10);
    await world.passUntil("the slot is used for others", () => isCompleted(engine, plain), 3_000);
    await world.pass(25_000, 50);
    assert.equal(engine.outcomes.has(id), false);
    await world.passUntil("it failed", () => engine.outcomes.has(id), 10_000);
    const message = "No executor of the queue default has a task handler called rare.";
    assert.deepEqual(engine.outcomes.get(id), { kind: "failed", error: { kind: "unknown", message } });
    const second = world.submit(engine, 10, { handler: "rare" });
    await world.pass(25_000, 50);
    const late = await world.start("x2", { handlers });
    await world.passUntil("it completed", () => isCompleted(engine, second), 3_000);
    world.kill(late);
    world.show();
    const third = world.submit(engine, 10, { handler: "rare" });
    await world.pass(10_000, 50);
    await world.start("x3", { handlers });
    await world.passUntil("the third completed", () => isCompleted(engine, third), 3_000);
  });

  it("never executes on a node what is not of its queues, also if nobody else can", async () => {
    const handlers = { work: {}, rare: {} };
    const node = await world.start("n1", { slots: 1, serves: ["default"], handlers });
    await world.start("n2", { serves: ["gpu"] });
    const busy = world.submit(node, LONG_MS);
    const ids = [1, 2, 3].map(() => world.submit(node, 10, { queue: "gpu", handler: "rare" }));
    await world.passUntil("they failed", () => ids.every((id) => node.outcomes.has(id)), 40_000);
    assert.deepEqual([node.pool.executed.length, node.outcomes.has(busy)], [1, false]);
    const outcome = node.outcomes.get(ids[0] ?? "");
    assert.match(outcome?.kind === "failed" ? outcome.error.message : "", /queue gpu .* called rare/);
  });

  it("gives back at once what an executor that ends has not finished", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const leaving = await world.start("x1");
    const [long, short] = [world.submit(engine, LONG_MS), world.submit(engine, 500)];
    await world.passUntil("both are executed", () => leaving.pool.executed.length === 2);
    const other = await world.start("x2");
    const drained = leaving.exchange.drain(1_000, new AbortController().signal);
    await world.passUntil("it is executed again", () => other.pool.executed.length === 1, 3_000);
    await world.passUntil("it drained", () => leaving.pool.running.size === 0, 1_000);
    await drained;
    assert.ok(isCompleted(engine, short));
    assert.ok(!isCompleted(engine, long));
    assert.equal(other.pool.executed[0]?.isolation, "tier", "it is no suspect");
  });

  it("carries inputs and results that are larger than a message", async () => {
    const [engine, executor] = [await world.start("engine", { slots: 0 }), await world.start("x")];
    const input = JSON.stringify({ durationMs: 1_000, text: "ä".repeat(700_000) });
    const id = world.submit(engine, 0, { input });
    await world.passUntil("it is executed", () => executor.pool.executed.length === 1, 1_000);
    assert.equal(executor.pool.executed[0]?.input, input);
    const [running] = executor.pool.running.keys();
    const output = JSON.stringify("ö".repeat(900_000));
    executor.pool.end(running ?? "", { kind: "completed", output });
    await world.passUntil("it settled", () => engine.outcomes.has(id), 1_000);
    assert.deepEqual(engine.outcomes.get(id), { kind: "completed", output });
  });

  it("carries many large results at a time, more than a node has room for", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const executors: ExchangeNode[] = [];
    for (let count = 1; count <= 50; count += 1) executors.push(await world.start(`x${count}`, { slots: 1 }));
    world.network.setFaults({ delayMs: [5, 15] });
    const ids = executors.map(() => world.submit(engine, LONG_MS));
    await world.passUntil("all are executed", () => executors.every(({ pool }) => pool.running.size === 1), 10_000);
    const output = JSON.stringify("x".repeat(2_000_000));
    for (const { pool } of executors) for (const id of [...pool.running.keys()]) pool.end(id, { kind: "completed", output });
    await world.passUntil("all have completed", () => isCompleted(engine, ...ids), 15_000);
  }).timeout(20_000);

  it("fails an attempt that waits for longer than its handler allows", async () => {
    const engine = await world.start("engine", { slots: 0, handlers: { work: { scheduleToStartMs: 300 } } });
    const id = world.submit(engine, 10);
    await world.pass(400);
    const message = "work exceeded its scheduleToStart bound of 300 ms.";
    assert.deepEqual(engine.outcomes.get(id), { kind: "failed", error: { kind: "timedOut", timeout: "scheduleToStart", message } });
  });

  it("counts how long an attempt waits in all, and not how long it was lent", async () => {
    const handlers = { work: { scheduleToStartMs: 4_000 } };
    const engine = await world.start("engine", { slots: 0, handlers });
    const id = world.submit(engine, 10 * LONG_MS);
    await world.pass(1_200);
    for (const name of ["x1", "x2"]) {
      const executor = await world.start(name);
      await world.passUntil("it is executed", () => executor.pool.running.size === 1, 1_100);
      await world.pass(5_000);
      assert.equal(engine.outcomes.has(id), false);
      world.kill(executor);
      world.show();
    }
    await world.passUntil("it is too late", () => engine.outcomes.has(id), 2_800);
    const outcome = engine.outcomes.get(id);
    assert.equal(outcome?.kind === "failed" && outcome.error.timeout, "scheduleToStart");
  });

  it("has crashed an attempt whose executors are lost again and again", async () => {
    const engine = await world.start("engine", { slots: 0 });
    const id = world.submit(engine, LONG_MS);
    for (let count = 1; count <= 10; count += 1) {
      const doomed = await world.start(`x${count}`);
      await world.passUntil("it is executed", () => doomed.pool.executed.length === 1, 3_000);
      world.kill(doomed);
      world.show();
    }
    const outcome = engine.outcomes.get(id);
    assert.equal(outcome?.kind === "failed" && outcome.error.kind, "crashed");
  });
});
