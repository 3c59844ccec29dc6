/**
 * An owner commits while another node takes it over: fences it, acquires its shards and goes on with the next epoch. Whatever the timing, the heir finds
 * every row that the old owner was told of, and no row of the old owner appears after the takeover.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { type BootId, newBootId, type RunId, SHARD_COUNT } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { formBatch } from "../../runtime/storage/batch.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import { connectPg, type PgClient } from "../../runtime/storage/pg-connection.ts";
import { openPgEventCheckpoints } from "../../runtime/storage/pg-event-checkpoints.ts";
import { openPgJournal } from "../../runtime/storage/pg-journal.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { BatchStatements } from "../../runtime/storage/pg-statement.ts";
import { atEpoch } from "../support/at-epoch.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { createWrite, entryWrite, runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";

const ROUNDS = 1_000;
/** Runs in a batch of the old owner: enough that a takeover fits into its execution. */
const BATCH_RUNS = 40;
const SHARD = 77;

describe("a takeover that races an owner's commits", function () {
  this.timeout(180_000);
  const random = seededRandom(77);
  const clock = systemClock();
  let url: string;
  let ownership: Awaited<ReturnType<typeof openPgOwnership>>;

  beforeEach(async () => {
    url = await freshDatabase();
    ownership = await openPgOwnership({ url });
  });
  afterEach(() => ownership.close());

  const join = async (nodeName: string) => {
    const bootId = newBootId(random);
    return { bootId, ...(await ownership.join({ bootId, nodeName, lanes: 1, leaseMs: 600_000 })) };
  };

  it(`leaves no stale row in ${ROUNDS} rounds, nor loses one that was acknowledged`, async () => {
    const clients = await Promise.all(["old", "new"].map((applicationName) => connectPg(url, { applicationName })));
    const [old, heir] = clients as [PgClient, PgClient];
    let owner = await join("n0");
    let epoch = owner.shards.get(SHARD) ?? 0;
    let raceMs = 5;
    const tally = { committed: 0, fenced: 0 };
    const commit = async (client: PgClient, bootId: BootId, under: number, runIds: readonly RunId[], seq: number): Promise<boolean> => {
      const batch = formBatch(runIds.map((runId) => entryWrite(runId, seq)));
      const { text, values } = new BatchStatements(bootId, 0, { epochOf: () => under }).of(batch);
      return (await client.query<{ live: number }>(text, [...values])).rows[0]?.live === 1;
    };
    const countRows = async (runIds: readonly RunId[], under: number) =>
      (await heir.query("SELECT FROM journal WHERE run_id = ANY($1::uuid[]) AND epoch = $2", [runIds, under])).rowCount;
    for (let round = 1; round <= ROUNDS; round++) {
      const next = await join(`n${round}`);
      const runIds = Array.from({ length: BATCH_RUNS }, () => runIdOn(SHARD));
      const startedMs = clock.monotonic();
      const headStartMs = (2 * random.fraction() - 1) * raceMs;
      const delayBy = async (delayMs: number) => {
        while (clock.monotonic() < startedMs + delayMs) await new Promise((resolve) => setImmediate(resolve));
      };
      const stale = async () => {
        await delayBy(-headStartMs);
        return commit(old, owner.bootId, epoch, runIds, 1);
      };
      const takeover = async () => {
        await delayBy(headStartMs);
        assert.equal(await ownership.fence(owner.bootId, { even: "alive" }), true);
        const { shards } = await ownership.acquire(next.bootId, [SHARD]);
        assert.deepEqual([...shards], [[SHARD, epoch + 1]]);
        const found = await countRows(runIds, epoch);
        // What it goes on with begins behind what it found: were the two to overlap, the key of the journal would tell.
        assert.equal(await commit(heir, next.bootId, epoch + 1, runIds, found === 0 ? 1 : 2), true);
        return found;
      };
      const [isCommitted, found] = await Promise.all([stale(), takeover()]);
      raceMs = Math.min(50, 0.9 * raceMs + 0.1 * (clock.monotonic() - startedMs - Math.abs(headStartMs)));
      tally[isCommitted ? "committed" : "fenced"]++;
      assert.equal(found, isCommitted ? BATCH_RUNS : 0, `round ${round}: the heir saw exactly what was acknowledged`);
      assert.equal(await countRows(runIds, epoch), found, `round ${round}: a stale row appeared after the takeover`);
      [owner, epoch] = [next, epoch + 1];
    }
    await Promise.all(clients.map((client) => client.end()));
    assert.ok(tally.committed > ROUNDS / 50 && tally.fenced > ROUNDS / 50, `both must win at times: ${JSON.stringify(tally)}`);
  });

  it("does not wait for a session that hangs in the middle of a batch", async () => {
    const bootId = newBootId(random);
    const { shards } = await ownership.join({ bootId, nodeName: "a", lanes: 1, leaseMs: 600_000 });
    const held = new HeldShards(shards);
    const journal = await openPgJournal({ url, bootId, held, lanes: 1, clock, random, events: new EventHub() });
    const runId = runIdOn(SHARD);
    const blocker = await connectPg(url, { applicationName: "blocker" });
    await blocker.query("BEGIN; INSERT INTO run_keys (key, run_id) VALUES ('k', gen_random_uuid())");
    const append = journal.append(createWrite(runId, { key: "k" }));
    await waitUntil("the batch to hang", async () => {
      const text =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'maestro-lane-%' AND datname = current_database()";
      return (await execute(url, text)).length === 1;
    });
    const [isFenced] = await Promise.all([ownership.fence(bootId, { even: "alive" }), assert.rejects(append, { code: "JOURNAL_FENCED" })]);
    assert.equal(isFenced, true);
    await blocker.query("COMMIT");
    await blocker.end();
    assert.equal(await journal.find(runId), undefined);
    await journal.close();
  });

  const halfDone: Readonly<
    Record<string, { readonly from: string; begin(url: string, bootId: BootId, events: EventHub): Promise<() => Promise<void>> }>
  > = {
    "a change of the ownership": {
      from: "UPDATE shards",
      begin: async (through, bootId, events) => {
        const frozen = await openPgOwnership({ url: through, events });
        const releasing = assert.rejects(frozen.release(bootId, atEpoch(1, [SHARD])), { code: "DATABASE_UNAVAILABLE" });
        return () => releasing.finally(() => frozen.close());
      },
    },
    "the end of its marks of events": {
      from: "DELETE FROM event_checkpoints",
      begin: async (through, bootId, events) => {
        const frozen = await openPgEventCheckpoints({ url: through, events });
        const ending = assert.rejects(frozen.end(bootId), { code: "DATABASE_UNAVAILABLE" });
        return () => ending.finally(() => frozen.close());
      },
    },
  };
  for (const [what, { from, begin }] of Object.entries(halfDone)) {
    it(`does not wait for a node that stands still in the middle of ${what}`, async () => {
      const [frozen, heir] = [await join("frozen"), await join("heir")];
      const proxy = await FaultyProxy.start(url);
      const events = new EventHub();
      proxy.swallowFrom(from);
      const end = await begin(proxy.url, frozen.bootId, events);
      try {
        await waitUntil("it to stand still", () => proxy.swallowed > 0);
        // Either gives up before the end of the server's patience with a session that says nothing, were that as long as usual.
        assert.equal(await ownership.fence(frozen.bootId, { even: "alive" }), true);
        assert.deepEqual([...(await ownership.acquire(heir.bootId, [SHARD])).shards.keys()], [SHARD]);
      } finally {
        events.emit("database.returned", { awayMs: 1 });
        await end();
        await proxy.stop();
      }
    });
  }

  it("renews a lease while views of the cluster are read, which share one query at a time", async () => {
    const { bootId } = await join("a");
    const blocker = await connectPg(url, { applicationName: "blocker" });
    await blocker.query("BEGIN; LOCK TABLE shards IN ACCESS EXCLUSIVE MODE");
    const views = [ownership.view()];
    await waitUntil("the view to wait", async () => {
      const text = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
      return (await execute(url, text)).length === 1;
    });
    for (let asked = 1; asked <= 1_000; asked++) views.push(ownership.view());
    const first = await Promise.race([
      ownership.renew(bootId, { leaseMs: 60_000, load: 0 }).then(({ storeTimeMs: _sometime, ...renewed }) => renewed),
      Promise.race(views).then(
        () => "a view",
        () => "a view that was given up",
      ),
    ]);
    await blocker.query("COMMIT");
    await blocker.end();
    assert.deepEqual(first, { isMember: true, version: 1, expired: [] });
    assert.equal(new Set(await Promise.all(views)).size, 2);
  });

  it("renews a lease while a takeover of another boot waits", async () => {
    const [a, b] = [await join("a"), await join("b")];
    const writer = await connectPg(url, { applicationName: "writer" });
    await writer.query("BEGIN");
    await writer.query("SELECT FROM lane_fences WHERE boot_id = $1 FOR SHARE", [a.bootId]);
    const fence = ownership.fence(a.bootId, { even: "alive" });
    await waitUntil("the takeover to wait", async () => {
      const text =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'maestro-ownership' AND datname = current_database()";
      return (await execute(url, text)).length === 1;
    });
    assert.equal((await ownership.renew(b.bootId, { leaseMs: 60_000, load: 0 })).isMember, true);
    assert.equal((await ownership.view()).nodes.length, 2);
    await writer.query("COMMIT");
    await writer.end();
    assert.equal(await fence, true);
    assert.equal(
      (
        await ownership.acquire(
          b.bootId,
          Array.from({ length: SHARD_COUNT }, (_, shard) => shard),
        )
      ).shards.size,
      SHARD_COUNT,
    );
  });
});
