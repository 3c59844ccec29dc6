/**
 * What the network and the server may do to a lane while it writes. Whatever happens, each write is stored exactly once, in order, and
 * every acknowledged one is there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../runtime/clock.ts";
import type { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId, type RunId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { connectPg } from "../../runtime/storage/pg-connection.ts";
import { openPgJournal } from "../../runtime/storage/pg-journal.ts";
import { migrate } from "../../runtime/storage/pg-migrate.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { execute, freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";
import { createWrite, entryWrite, headWrite, runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";

const clock = systemClock();
const random = systemRandom();

/** Opens a journal whose lanes write through `laneUrl` for a boot that joins through `url`. */
async function openJournal(url: string, laneUrl: string): Promise<{ journal: Journal; events: EventHub; retries: () => number }> {
  const bootId = newBootId(random);
  const ownership = await openPgOwnership({ url });
  const held = new HeldShards((await ownership.join({ bootId, nodeName: "a", lanes: 2, leaseMs: 60_000 })).shards);
  await ownership.close();
  const events = new EventHub();
  let retries = 0;
  events.on("journal.retried", () => retries++);
  return { journal: await openPgJournal({ url: laneUrl, bootId, held, lanes: 2, clock, random, events }), events, retries: () => retries };
}

/** Clients that write run after run until told to stop. */
class Load {
  readonly acknowledged = new Map<RunId, number>();
  #isOn = true;
  readonly #done: Promise<unknown>;

  constructor(journal: Journal, clients: number) {
    this.#done = Promise.all(Array.from({ length: clients }, (_, shard) => this.#client(journal, shard)));
    this.#done.catch(() => undefined); // stop() reports it.
  }

  get writes(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#done;
  }

  async #client(journal: Journal, shard: number): Promise<void> {
    while (this.#isOn) {
      const runId = runIdOn(shard);
      for (let seq = 1; seq <= 5 && this.#isOn; seq++) {
        await journal.append(seq === 1 ? createWrite(runId, { key: runId }) : entryWrite(runId, seq));
        this.acknowledged.set(runId, seq);
      }
    }
  }
}

/** Every acknowledged write is there once, in order, and nothing else is. */
async function assertIntact(url: string, load: Load): Promise<void> {
  const rows = await execute<{ run_id: RunId; history: string }>(
    url,
    "SELECT run_id, string_agg(convert_from(entries, 'UTF8'), '' ORDER BY seq) AS history FROM journal GROUP BY run_id",
  );
  assert.equal(rows.length, load.acknowledged.size);
  for (const row of rows) {
    const count = load.acknowledged.get(row.run_id) ?? 0;
    assert.equal(row.history, Array.from({ length: count }, (_, index) => `${index + 1};`).join(""), row.run_id);
  }
}

describe("a lane under faults", function () {
  this.timeout(60_000);
  let url: string;
  let proxy: FaultyProxy;
  let journal: Journal;
  let retries: () => number;

  beforeEach(async () => {
    url = await freshDatabase();
    proxy = await FaultyProxy.start(url);
    ({ journal, retries } = await openJournal(url, proxy.url));
  });
  afterEach(async () => {
    await journal.close();
    await proxy.stop();
  });

  for (const moment of ["beforeRequest", "afterRequest", "beforeAnswer"] as const) {
    it(`stores every write once when the connection breaks ${moment}`, async () => {
      const load = new Load(journal, 20);
      for (let round = 1; round <= 10; round++) {
        const before = load.writes;
        await waitUntil("the load to go on", () => load.writes > before + 100);
        proxy.breakNext(moment);
        await waitUntil("the connection to break", () => proxy.breaks === round);
      }
      await load.stop();
      await assertIntact(url, load);
      assert.ok(retries() > 0);
    });
  }

  it("stores every write once when the server ends its sessions", async () => {
    const load = new Load(journal, 20);
    for (let round = 1; round <= 10; round++) {
      const before = load.writes;
      await waitUntil("the load to go on", () => load.writes > before + 100);
      await execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'maestro-lane-%' AND datname = current_database()",
      );
    }
    await load.stop();
    await assertIntact(url, load);
    assert.ok(retries() > 0);
  });

  it("ends the session of a batch that hangs before it writes on", async () => {
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    const blocker = await connectPg(url, { applicationName: "blocker" });
    await blocker.query("BEGIN; LOCK TABLE workflow_runs IN SHARE MODE");
    const waiting = async () => {
      const text = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'relation' AND datname = current_database()";
      return (await execute<{ pid: number }>(url, text)).map(({ pid }) => pid);
    };
    // A write without entries leaves no trace by which it could be looked up: only the end of its session makes its outcome certain.
    proxy.breakNext("afterRequest");
    const first = journal.append(headWrite(runId, { status: "waiting", wake: 4 }));
    const [hanging] = await waitUntil("the first batch to hang", async () => {
      const pids = await waiting();
      return proxy.breaks === 1 && pids.length === 1 && pids;
    });
    const second = journal.append(headWrite(runId, { status: "completed", wake: 0, endedAtMs: 1 }));
    await waitUntil("the hanging session to be replaced", async () => {
      const pids = await waiting();
      return pids.length === 1 && pids[0] !== hanging;
    });
    await blocker.query("COMMIT");
    await blocker.end();
    await Promise.all([first, second]);
    assert.equal((await journal.find(runId))?.status, "completed");
  });

  it("asks anew, on another connection, what the network has swallowed, once the server is known to be back", async function () {
    // Less than a lane waits for an answer by itself.
    this.timeout(30_000);
    const url = await freshDatabase();
    const proxy = await FaultyProxy.start(url);
    const { journal, events, retries } = await openJournal(url, proxy.url);
    try {
      const runId = runIdOn();
      await journal.append(createWrite(runId));
      await journal.find(runId);
      proxy.swallow();
      const written = journal.append(entryWrite(runId, 2));
      const read = journal.find(runId).then(
        () => "read",
        (error: MaestroError) => error.code,
      );
      await waitUntil("both to be swallowed", () => proxy.swallowed >= 2);
      proxy.restore();
      // Long before anybody's own time for an answer is over.
      events.emit("database.returned", { awayMs: 1 });
      await written;
      assert.ok(retries() > 0);
      assert.equal(await read, "DATABASE_UNAVAILABLE");
      assert.equal((await journal.read(runId, 1, 10)).length, 2);
    } finally {
      await journal.close();
      await proxy.stop();
    }
  });

  it("acknowledges a batch that was committed before a takeover, and is fenced after", async () => {
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    proxy.breakNext("beforeAnswer");
    const append = journal.append(entryWrite(runId, 2));
    await waitUntil("the connection to break", () => proxy.breaks === 1);
    const next = await openJournal(url, url);
    await append;
    await assert.rejects(journal.append(entryWrite(runId, 3)), { code: "JOURNAL_FENCED" });
    assert.equal((await next.journal.read(runId, 1, 10)).length, 2);
    await next.journal.close();
  });

  it("loses nothing when the server crashes and recovers", async () => {
    const events = new EventHub();
    let exits = 0;
    events.on("database.exited", () => exits++);
    const server = await startEmbeddedPg({ folder: join(temporaryFolder(), "data"), clock, random, events });
    await migrate(server.url);
    const opened = await openJournal(server.url, server.url);
    const load = new Load(opened.journal, 20);
    for (let round = 1; round <= 2; round++) {
      const before = load.writes;
      await waitUntil("the load to go on", () => load.writes > before + 100);
      const { pid } = server;
      assert.ok(pid !== undefined);
      process.kill(pid, round === 1 ? "SIGQUIT" : "SIGKILL");
      await waitUntil("the server to have ended", () => exits === round);
    }
    const before = load.writes;
    await waitUntil("the load to go on", () => load.writes > before + 100, 30_000);
    await load.stop();
    await assertIntact(server.url, load);
    await opened.journal.close();
    await server.stop();
  });
});
