/** The schema: how it is applied, the operators' SQL that it must serve, and the plans of every query on a store that is not small. */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId, type RunId, SHARD_COUNT, shardOf } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { NIL_RUN_ID } from "../../runtime/storage/journal.ts";
import { connectPg, type PgClient } from "../../runtime/storage/pg-connection.ts";
import type { PgDatabase, PgQuery } from "../../runtime/storage/pg-database.ts";
import { PgEventCheckpoints } from "../../runtime/storage/pg-event-checkpoints.ts";
import { PgJournalReader } from "../../runtime/storage/pg-journal-reader.ts";
import { knownMigrations, migrate } from "../../runtime/storage/pg-migrate.ts";
import { PgRetention, removeAttempts } from "../../runtime/storage/pg-retention.ts";
import { PgTaskLedger } from "../../runtime/storage/pg-task-ledger.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { runIdOn } from "../support/run-writes.ts";

/** Later migrations say whom they serve. */
const FIRST_SERVING = 10;

describe("the schema", function () {
  this.timeout(60_000);
  let url: string;

  beforeEach(async () => {
    url = await freshDatabase();
  });

  const empty = () => execute(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");

  it("is applied once by many nodes that start at once", async () => {
    await empty();
    const applied = await Promise.all([migrate(url), migrate(url), migrate(url)]);
    assert.deepEqual(applied.sort(), [0, 0, (await knownMigrations()).length]);
    const rows = await execute<{ number: number }>(url, "SELECT number FROM schema_migrations ORDER BY number");
    assert.deepEqual(
      rows.map(({ number }) => number),
      (await knownMigrations()).map(({ number }) => number),
    );
  });

  it("is refused when it is newer than the program", async () => {
    await execute(url, "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'later', '')");
    await assert.rejects(migrate(url), { code: "SCHEMA_TOO_NEW" });
  });

  it("serves programs that know enough of it, although it is newer, and no others", async () => {
    const known = await knownMigrations();
    const last = known.at(-1)?.number ?? 0;
    const later = { number: last + 1, name: "later", sql: "ALTER TABLE nodes ADD COLUMN later integer", checksum: "x", servesFrom: last };
    assert.equal(await migrate(url, [...known, later]), 1);
    assert.equal(await migrate(url), 0, "this program is started again");
    await assert.rejects(migrate(url, known.slice(0, -1)), { code: "SCHEMA_TOO_NEW" });
    assert.equal(await migrate(url, [...known, later, { ...later, number: last + 2, sql: "SELECT 1", servesFrom: last + 1 }]), 1);
    await assert.rejects(migrate(url), { code: "SCHEMA_TOO_NEW" });
    assert.equal(await migrate(url, [...known, later]), 0);
  });

  it("is refused where an older program recorded what it is", async () => {
    await execute(url, "ALTER TABLE schema_migrations DROP COLUMN serves_from");
    assert.equal(await migrate(url), 0, "that it is this one");
    await execute(url, "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'later', '')");
    await assert.rejects(migrate(url), { code: "SCHEMA_TOO_NEW" });
  });

  it("says of each migration whom it serves, and those that serve older programs take nothing away", async () => {
    const takesAway =
      /\b(DROP|RENAME|TRUNCATE|SET NOT NULL|ALTER COLUMN \w+ (SET DATA )?TYPE|ADD CONSTRAINT)\b|\bADD COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT NULL\b/i;
    for (const { number, name, sql, servesFrom } of await knownMigrations()) {
      if (number <= FIRST_SERVING) continue;
      assert.match(sql, /^-- Serves programs from \d{4} on\.$/m, `${name} says whom it serves`);
      const statements = sql.replaceAll(/--.*$/gm, "");
      assert.ok(
        servesFrom <= number && (servesFrom === number || !takesAway.test(statements)),
        `${name} takes something away from programs of ${servesFrom}`,
      );
    }
  });

  it("is refused when a migration was changed after it was applied", async () => {
    const [first, ...others] = await knownMigrations();
    assert.ok(first);
    await assert.rejects(migrate(url, [{ ...first, checksum: "changed" }, ...others]), { code: "SCHEMA_CHANGED" });
  });

  it("keeps nothing of a migration that fails, and goes on from there", async () => {
    const known = await knownMigrations();
    const broken = { number: 9000, name: "broken", sql: "CREATE TABLE half (); SELECT 1 / 0", checksum: "x", servesFrom: 9000 };
    await assert.rejects(migrate(url, [...known, broken]));
    assert.equal(await migrate(url, [...known, { ...broken, sql: "CREATE TABLE half ()" }]), 1);
  });

  it("reads a run's shard as the program does", async () => {
    for (let shard = 0; shard < SHARD_COUNT; shard += 273) {
      const runId = runIdOn(shard);
      assert.deepEqual(await execute(url, "SELECT shard_of($1) AS shard", [runId]), [{ shard: shardOf(runId) }]);
    }
  });

  it("serves the operations guide's queries", async () => {
    for (const text of GUIDE_QUERIES) await execute(url, text);
    const rows = await execute<{ indexname: string }>(url, "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'idx_%'");
    const found = new Set(rows.map(({ indexname }) => indexname));
    for (const name of GUIDE_INDEXES) assert.ok(found.has(name), `${name} is missing`);
  });
});

const GUIDE_QUERIES = [
  `SELECT w.name, wr.status, wr.error_message, wr.created_at FROM workflow_runs wr JOIN workflows w ON wr.workflow_id = w.id
    WHERE wr.status = 'failed' AND wr.created_at > NOW() - INTERVAL '1 hour' ORDER BY wr.created_at DESC LIMIT 20`,
  `SELECT user_id, COUNT(*) AS request_count, COUNT(DISTINCT endpoint) AS unique_endpoints,
    COUNT(DISTINCT DATE_TRUNC('hour', created_at)) AS active_hours
    FROM api_requests WHERE created_at > NOW() - INTERVAL '24 hours' GROUP BY user_id HAVING COUNT(*) > 10000 ORDER BY request_count DESC`,
  "SELECT status, created_at FROM task_executions WHERE status = 'failed' ORDER BY created_at DESC LIMIT 20",
];

const GUIDE_INDEXES = [
  "idx_workflow_runs_status_created",
  "idx_workflow_runs_workflow_id_created",
  "idx_workflow_runs_active",
  "idx_workflow_runs_dashboard",
  "idx_task_executions_status_created",
];

const ROWS = 100_000;
/** Several ranges of pages of the coarsest index, and a small part of every table. */
const FEW_ROWS = ROWS / 5;

/** 100,000 runs: 1 in 500 has work, 1 in 50 waits for its timer, 1 in 400 failed, the others completed; two journal rows and two attempts each. */
const FILL = `
  CREATE TEMPORARY TABLE made AS SELECT n,
    (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id
    FROM generate_series(1, ${ROWS}) AS n;
  INSERT INTO workflow_runs (id, workflow_id, created_at, updated_at, ended_at, wake, status, user_id, labels)
    SELECT id, lpad(to_hex(n % 50), 32, '0')::uuid, to_timestamp(1700000000 + n / 1000.0),
      now() - interval '1 hour' * (n < ${ROWS - 200})::integer,
      CASE WHEN n % 50 = 0 THEN NULL ELSE now() END,
      CASE WHEN n % 500 = 0 THEN 1 WHEN n % 50 = 0 THEN 2 ELSE 0 END,
      CASE WHEN n % 500 = 0 THEN 'running' WHEN n % 50 = 0 THEN 'waiting' WHEN n % 400 = 1 THEN 'failed' ELSE 'completed' END, 'user', '{}'
    FROM made;
  INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries) SELECT id, seq, 1, 2, 0, '\\x00' FROM made, unnest(ARRAY[1, 3]) AS seq;
  INSERT INTO run_timers SELECT now() + n * interval '1 second', id, 1 FROM made WHERE n % 50 = 0 AND n % 500 <> 0;
  INSERT INTO task_executions SELECT id, frame, 1, '/do/0/pay', 'pay', CASE WHEN n % 50 = 0 THEN 'scheduled' ELSE 'completed' END, to_timestamp(1700000000 + n / 1000.0)
    FROM made, unnest(ARRAY[2, 3]) AS frame;
  SELECT brin_summarize_new_values('task_executions_of_run'), brin_summarize_new_values('workflow_runs_updated'); -- as autovacuum does, in its time
  INSERT INTO run_keys SELECT 'key ' || n, id FROM made;
  ANALYZE`;

/** A table in the way of the real one, with an open attempt and many that have ended: at this size, reading all of it looks cheap. */
const YOUNG_LEDGER = `
  CREATE TEMPORARY TABLE task_executions (LIKE public.task_executions INCLUDING ALL);
  INSERT INTO task_executions SELECT id, 2, 1, '/do/0/pay', 'pay', 'scheduled', now() FROM made WHERE n = ${ROWS / 2};
  INSERT INTO task_executions SELECT * FROM public.task_executions WHERE status = 'completed' LIMIT ${ROWS / 20};
  ANALYZE task_executions`;

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows that a plan touched in tables. */
function touched(plan: Plan): number {
  const removed = (plan["Rows Removed by Filter"] ?? 0) + (plan["Rows Removed by Index Recheck"] ?? 0);
  const own = plan["Relation Name"] === undefined ? 0 : (plan["Actual Rows"] + removed) * plan["Actual Loops"];
  return (plan.Plans ?? []).reduce((sum, child) => sum + touched(child), own);
}

describe(`the plans on ${ROWS} runs`, function () {
  this.timeout(120_000);
  let client: PgClient;
  /** The largest number of rows that a query of the current test touched. */
  let most = 0;

  /** A database that explains every query instead of answering it. */
  const inTurn = async (text: string, values: readonly unknown[]) => {
    previous = previous.then(() => explain(text, values));
    await previous;
    return [];
  };
  const explaining = { query: inTurn, prepared: (_name: string, text: string, values: readonly unknown[]) => inTurn(text, values) };
  let previous = Promise.resolve();
  const explain = async (text: string, values: readonly unknown[]): Promise<void> => {
    const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...values]);
    const [explained] = rows as [{ "QUERY PLAN": readonly [{ Plan: Plan }] }];
    most = Math.max(most, touched(explained["QUERY PLAN"][0].Plan));
  };
  const reader = new PgJournalReader(explaining as unknown as PgDatabase);
  const retention = new PgRetention(explaining as unknown as PgDatabase, undefined);
  const ledger = new PgTaskLedger({
    database: explaining as unknown as PgDatabase,
    applicationName: "plans",
    clock: systemClock(),
    events: new EventHub(),
  });
  /** One of these is open. */
  const storeAttempts = (): Promise<void> => {
    for (let number = 1; number <= 100; number++)
      ledger.record({ runId, frame: 2, attempt: number, path: "/do/0/pay", handler: "pay", status: "completed", createdAtMs: startMs });
    return ledger.flush();
  };
  const checkpoints = new PgEventCheckpoints(explaining as unknown as PgDatabase);
  const lately = () => ({ committedAt: new Date(Date.now() - 60_000).toISOString(), entriesFromMs: 0 });
  const all = ShardSet.all;
  const third = ShardSet.of(Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => (shard * 7919) % 3 === 0));
  const limit = 50;
  const startMs = 1_700_000_000_000;

  before(async () => {
    client = await connectPg(await freshDatabase(), { applicationName: "plans", settings: { jit: "off" } });
    await client.query(FILL);
    const { rows } = await client.query<{ id: RunId }>(`SELECT id FROM made WHERE n = ${ROWS / 2}`);
    runId = rows[0]?.id ?? assert.fail("a run was made");
  });
  after(() => client.end());
  beforeEach(() => {
    most = 0;
  });

  let runId: RunId;
  const queries: Readonly<Record<string, () => Promise<unknown>>> = {
    "read a history": () => reader.read(runId, 1, 100),
    "find runs": () => reader.findAll([runId]),
    "read the tails of runs": () => reader.readTails([runId], newBootId(systemRandom())),
    "find by key": () => reader.findByKey("key 77"),
    "list the newest runs": () => reader.list({}, limit),
    "list by workflow": () => reader.list({ workflowIds: ["00000000-0000-0000-0000-000000000007"] }, limit),
    "list by a rare status": () => reader.list({ statuses: ["failed"] }, limit),
    "list by time": () => reader.list({ createdAfterMs: startMs + 50_000, createdBeforeMs: startMs + 50_500 }, limit),
    "list ready runs": () => reader.listReady(all, limit),
    "list due timers": () => reader.listTimers(all, Date.now() + 100_000, limit),
    "list timers far ahead, page by page": () =>
      reader.listTimers(all, Date.now() + 1_000_000_000, limit, { dueAtMs: Date.now() + 500_000, runId, timer: 1 }),
    "look for old runs": () => retention.removeRuns(Date.now() - 1_000_000, limit, runId),
    "store attempts": () => storeAttempts(),
    "remove attempts": () => removeAttempts(inTurn as PgQuery, [runId]),
    "look for old keys": () => retention.removeKeys(limit, "key 5"),
    "look for changed runs": () => checkpoints.listChanged({ shards: all, since: lately(), isWithReady: false }, limit),
    "look for changed runs, and those with work, of scattered shards": () =>
      checkpoints.listChanged({ shards: third, since: lately(), isWithReady: true }, limit, NIL_RUN_ID),
    audit: () => reader.audit(all, 1_000, limit),
    "list ready runs of scattered shards": () => reader.listReady(third, limit),
    "list due timers of scattered shards": () => reader.listTimers(third, Date.now() + 100_000, limit),
    "audit scattered shards": () => reader.audit(third, 1_000, limit),
  };
  for (const [name, query] of Object.entries(queries)) {
    it(`${name} without reading the table`, async () => {
      await query();
      assert.ok(most > 0, "it found what it looked for");
      assert.ok(most <= FEW_ROWS, `${most} rows were touched`);
    });
  }

  it("store attempts without reading the table while it is young", async () => {
    await client.query(YOUNG_LEDGER);
    await storeAttempts();
    await client.query("DROP TABLE pg_temp.task_executions");
    assert.ok(most > 0, "it found what it looked for");
    assert.ok(most <= 10, `${most} rows were touched`);
  });
});
