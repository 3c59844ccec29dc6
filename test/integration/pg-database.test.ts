import assert from "node:assert/strict";
import { PgDatabase } from "../../runtime/storage/pg-database.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

describe("a pool of connections", function () {
  this.timeout(60_000);
  let database: PgDatabase;

  before(async () => {
    database = new PgDatabase({ url: await freshDatabase(), applicationName: "test", size: 1 });
  });
  after(() => database.close());

  it("outlives the loss of its connection in the middle of a transaction, between two statements", async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    // The test runner's own listeners would call it a failure of whatever test is under way.
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", note);
    try {
      const lost = database.transaction(async (query) => {
        const [own] = await query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        await execute(database.url, "SELECT pg_terminate_backend($1, 5000)", [own?.pid]);
        await query("SELECT 1");
      });
      await assert.rejects(lost, { code: "DATABASE_UNAVAILABLE" });
      assert.equal((await database.query("SELECT 1")).length, 1);
      assert.deepEqual(uncaught, []);
    } finally {
      process.off("uncaughtException", note);
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });

  it("gives up a transaction that stands still for longer than it may", async () => {
    const hasty = new PgDatabase({ url: database.url, applicationName: "hasty", size: 1, idleInTransactionMs: 50 });
    const stalled = hasty.transaction(async (query) => {
      await query("SELECT 1");
      const text = "SELECT FROM pg_stat_activity WHERE application_name = 'hasty'";
      await waitUntil("the server to end the session", async () => (await execute(database.url, text)).length === 0);
      await query("SELECT 1");
    });
    await assert.rejects(stalled, { code: "DATABASE_UNAVAILABLE" });
    assert.equal((await hasty.query("SELECT 1")).length, 1);
    await hasty.close();
  });

  const told: Readonly<Record<string, string>> = {
    "53100": "DATABASE_FAILING",
    "53200": "DATABASE_FAILING",
    "57014": "DATABASE_FAILING",
    "53300": "DATABASE_UNAVAILABLE",
    "57P03": "DATABASE_UNAVAILABLE",
    "08006": "DATABASE_UNAVAILABLE",
    "25P03": "DATABASE_UNAVAILABLE",
    "22012": "22012",
  };
  for (const [state, code] of Object.entries(told)) {
    it(`says that the server can't be reached only if it can't: SQLSTATE ${state} is ${code}`, async () => {
      const raise = `DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '${state}'; END $$`;
      await assert.rejects(database.query(raise), { code, message: /could not extend file/ });
    });
  }
});

describe("a pool whose server vanishes without a word", function () {
  this.timeout(20_000);
  let proxy: FaultyProxy;
  let database: PgDatabase;

  beforeEach(async () => {
    proxy = await FaultyProxy.start(await freshDatabase());
    database = new PgDatabase({ url: proxy.url, applicationName: "test", size: 1, answerTimeoutMs: 300 });
    await database.query("SELECT 1");
  });
  afterEach(async () => {
    // First, so that what still waits for an answer ends.
    await proxy.stop();
    await database.close();
  });

  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    "a query": () => database.query("SELECT 1"),
    "a prepared statement": () => database.prepared("one", "SELECT 1", []),
    "a transaction": () => database.transaction((query) => query("SELECT 1")),
    "a transaction that is under way": () =>
      database.transaction(async (query) => {
        await query("SELECT 1");
        proxy.swallow();
        await query("SELECT 1");
      }),
  };
  for (const [what, call] of Object.entries(calls)) {
    it(`gives ${what} up in time, and its connection with it`, async () => {
      if (what !== "a transaction that is under way") proxy.swallow();
      await assert.rejects(call(), { code: "DATABASE_UNAVAILABLE" });
      proxy.restore();
      assert.equal((await database.query("SELECT 1")).length, 1, "the next one gets a new connection");
    });
  }
});
