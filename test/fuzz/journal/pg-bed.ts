/** The bed of the journal's target in PostgreSQL: rows are written past the journal, as a failing disk or a foreign hand would. */
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId, timeOf } from "../../../runtime/ids.ts";
import { systemRandom } from "../../../runtime/random.ts";
import { HeldShards } from "../../../runtime/storage/held-shards.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskLedger } from "../../../runtime/storage/memory-task-ledger.ts";
import { openPgJournal } from "../../../runtime/storage/pg-journal.ts";
import { openPgOwnership } from "../../../runtime/storage/pg-ownership.ts";
import { execute, freshDatabase } from "../../support/pg-fixture.ts";
import { type JournalBed, openBed } from "./bed.ts";
import type { StoredRun } from "./stored-run.ts";

const LANES = 1;
const CLEAR = "TRUNCATE workflow_runs, journal, run_snapshots, run_timers";
const RUNS = `INSERT INTO workflow_runs (id, workflow_id, created_at, updated_at, ended_at, wake, status, user_id, labels)
  SELECT id, workflow, created, created, CASE WHEN wake = 0 THEN created END, wake, status, 'tester', '{}'
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[], $5::text[]) AS run (id, workflow, created, wake, status)`;
// The table's own constraints keep out what it can: two rows of one number, and counts below 1.
const ROWS = `INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries)
  SELECT run, seq, 1, greatest(count, 1), crc, decode(entries, 'hex') FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::int[], $5::text[])
  AS row (run, seq, count, crc, entries) ON CONFLICT DO NOTHING`;
const SNAPSHOTS = `INSERT INTO run_snapshots (run_id, seq, crc, state)
  SELECT run, seq, crc, decode(state, 'hex') FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[]) AS snapshot (run, seq, crc, state)`;
const TIMERS = "INSERT INTO run_timers (run_id, timer, due_at) SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) ON CONFLICT DO NOTHING";

/** Makes it, with a database of its own. */
export async function pgBed(): Promise<JournalBed> {
  const url = await freshDatabase();
  const ownership = await openPgOwnership({ url });
  const clock = systemClock();
  const random = systemRandom();
  return {
    async open(runs, histories) {
      await store(url, runs);
      const events = new EventHub();
      const bootId = newBootId(random);
      const held = new HeldShards((await ownership.join({ bootId, nodeName: "test", lanes: LANES, leaseMs: 60_000 })).shards);
      const journal = await openPgJournal({ url, bootId, held, lanes: LANES, clock, random, events });
      const bed = await openBed({ journal, held, ledger: new MemoryTaskLedger(new MemoryStore(clock)), events }, histories);
      const stop = async (): Promise<void> => {
        await bed.stop();
        await journal.close();
        await ownership.leave(bootId);
      };
      return { ...bed, stop };
    },
    close: () => ownership.close(),
  };
}

async function store(url: string, runs: readonly StoredRun[]): Promise<void> {
  const created = runs.map(({ runId }) => new Date(timeOf(runId)));
  const heads = runs.map(({ history }) => history.head);
  const rows = runs.flatMap(({ runId, rows: stored }) => stored.map((row) => ({ runId, ...row })));
  const snapshots = runs.flatMap(({ runId, snapshots: stored }) => stored.map((snapshot) => ({ runId, ...snapshot })));
  const timers = runs.flatMap(({ runId, history }) => history.timers.map((timer) => ({ runId, ...timer })));
  const ids = runs.map(({ runId }) => runId);
  const columns = [ids, runs.map(({ history }) => history.workflowId), created, heads.map(({ wake }) => wake), heads.map(({ status }) => status)];
  await execute(url, CLEAR);
  await execute(url, RUNS, columns);
  await execute(url, ROWS, [
    rows.map(({ runId }) => runId),
    rows.map(({ firstSeq }) => firstSeq),
    rows.map(({ entryCount }) => entryCount),
    rows.map(({ checksum }) => checksum),
    rows.map(({ entries }) => Buffer.from(entries).toString("hex")),
  ]);
  await execute(url, SNAPSHOTS, [
    snapshots.map(({ runId }) => runId),
    snapshots.map(({ seq }) => seq),
    snapshots.map(({ checksum }) => checksum),
    snapshots.map(({ state }) => Buffer.from(state).toString("hex")),
  ]);
  await execute(url, TIMERS, [timers.map(({ runId }) => runId), timers.map(({ timer }) => timer), timers.map(({ dueAtMs }) => new Date(dueAtMs))]);
}
