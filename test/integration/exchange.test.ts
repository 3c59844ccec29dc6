/** The exchange of tasks over a real NATS server, with real worker threads. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { Exchange } from "../../runtime/exchange/exchange.ts";
import { type BootId, newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { startWorkerPool } from "../../runtime/workers/tiered-pool.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, execute, resultOf } from "../support/worker-attempts.ts";

describe("the exchange of tasks over NATS", function () {
  this.timeout(60_000);
  const clock = systemClock();
  const random = systemRandom();
  let nats: NatsServer;
  let workers: WorkerPool;
  let lender: Exchange;
  let borrower: Exchange;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    const handlersFolder = fileURLToPath(new URL("../fixtures/handlers", import.meta.url));
    [nats, workers] = await Promise.all([startNatsServer(), startWorkerPool({ clock, events: new EventHub(), threads: 1, handlersFolder })]);
    const [engine, executor] = [newBootId(random), newBootId(random)];
    const nodes = [engine, executor].map((bootId) => ({ bootId, nodeName: bootId, state: "live" as const, roles: ["engine", "executor"] }));
    [lender, borrower] = [open(engine, 0), open(executor, 8)];
    for (const one of [lender, borrower]) one.show({ version: 1, nodes, ownerOf: () => undefined });
  });
  after(async () => {
    for (const close of closing) await close();
    await workers.stop(0);
    await nats.close();
  });

  function open(self: BootId, slots: number): Exchange {
    const events = new EventHub();
    const bus = openNatsBus({ url: nats.url, name: self, clock, random, events });
    const exchange = new Exchange({ bus, clock, random, events, clusterName: "test", self, local: workers, slots, serves: [], knows: () => true });
    exchange.start();
    closing.push(async () => {
      exchange.stop();
      await bus.close();
    });
    return exchange;
  }

  it("brings attempts to another node and their results back", async () => {
    const attempts = Array.from({ length: 100 }, (_, number) => attemptOf("echo", { number }));
    const results = await Promise.all(attempts.map(async (attempt) => resultOf(await execute(lender.pool, attempt))));
    assert.deepEqual(
      results,
      attempts.map(({ input }) => JSON.parse(input) as unknown),
    );
  });

  it("carries inputs and results that are larger than the server's messages", async () => {
    const input = "ä".repeat(800_000);
    assert.equal(resultOf(await execute(lender.pool, attemptOf("echo", input))), input);
  });

  it("tells an execution to stop that nobody wants any more", async () => {
    const attempt = attemptOf("wait-for-cancel");
    let outcome: AttemptOutcome | undefined;
    lender.pool.submit(attempt, (ended) => {
      outcome = ended;
    });
    await waitUntil("it to be executed", () => borrower.pool.borrower.activeCount === 1);
    lender.pool.cancel(attempt.id);
    assert.deepEqual(await waitUntil("its end", () => outcome), { kind: "cancelled" });
    assert.equal(borrower.pool.borrower.activeCount, 0);
  });

  it("goes on when the server was away", async () => {
    await nats.kill();
    const results = Promise.all([1, 2, 3].map((number) => execute(lender.pool, attemptOf("echo", number))));
    await nats.start();
    assert.deepEqual((await results).map(resultOf), [1, 2, 3]);
  });
});
