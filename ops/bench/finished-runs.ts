/**
 * Fills a store with finished runs by SQL: copies of one that the product has made, under ids of their own, with all their rows: head, history with
 * right checksums, attempts. The server must be PostgreSQL 18 or later, which the embedded one is.
 */
import { connect } from "../../gateway/grpc-client.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { type BenchSetting, type Figure, figureOf } from "./benchmark.ts";
import type { Installation } from "./installation.ts";
import { WORKLOADS } from "./workload.ts";

/** Runs of one statement. */
const BATCH = 50_000;
/** Time between two copies, all of which were made before the original. */
const APART = "interval '20 ms'";
const LEDGER_MS = 10_000;
const POLL_MS = 50;

const COPIES = `CREATE TEMPORARY TABLE copies (
  id uuid NOT NULL, age interval NOT NULL
)`;

/** Ids as `runtime/ids.ts` makes them: time in milliseconds, shard, chance. */
const INSERT_COPIES = `INSERT INTO copies
  SELECT (lpad(to_hex(floor(extract(epoch FROM w.created_at - n * ${APART}) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(floor(random() * 4096)::integer), 3, '0')
    || '8' || lpad(to_hex(floor(random() * 4096)::integer), 3, '0') || lpad(to_hex(floor(random() * 281474976710656)::bigint), 12, '0'))::uuid,
    n * ${APART}
  FROM workflow_runs w, generate_series($2::bigint, $3::bigint, -1) n WHERE w.id = $1::uuid`;

const INSERT_RUNS = `INSERT INTO workflow_runs (id, workflow_id, created_at, updated_at, ended_at, wake, status, user_id, labels, error_message)
  SELECT c.id, w.workflow_id, w.created_at - c.age, w.updated_at - c.age, w.ended_at - c.age, w.wake, w.status, w.user_id, w.labels, w.error_message
  FROM workflow_runs w, copies c WHERE w.id = $1::uuid`;

/** The checksum is that of `runtime/storage/journal-checksum.ts`. */
const INSERT_JOURNAL = `INSERT INTO journal (run_id, seq, epoch, entry_count, crc, entries)
  SELECT c.id, j.seq, j.epoch, j.entry_count,
    crc32(convert_to(c.id || '/' || j.seq || '/' || j.entry_count, 'UTF8') || j.entries)::bit(32)::integer, j.entries
  FROM journal j, copies c WHERE j.run_id = $1::uuid`;

const INSERT_ATTEMPTS = `INSERT INTO task_executions (run_id, frame, attempt, path, handler, status, created_at, ended_at, error_message)
  SELECT c.id, t.frame, t.attempt, t.path, t.handler, t.status, t.created_at - c.age, t.ended_at - c.age, t.error_message
  FROM task_executions t, copies c WHERE t.run_id = $1::uuid`;

/** Makes finished runs of W1. */
export async function fillStore(installation: Installation, count: number, setting: BenchSetting): Promise<Figure> {
  const { clock, signal, progress } = setting;
  const { meter } = installation;
  const original = await makeOriginal(installation, setting);
  const startMs = clock.monotonic();
  await meter.query(COPIES);
  for (let left = count; left > 0; left -= BATCH) {
    signal.throwIfAborted();
    progress(`making ${left} finished runs`);
    await meter.query(INSERT_COPIES, [original, left, Math.max(left - BATCH + 1, 1)]);
    for (const insert of [INSERT_RUNS, INSERT_JOURNAL, INSERT_ATTEMPTS]) await meter.query(insert, [original]);
    await meter.query("TRUNCATE copies");
  }
  const seconds = (clock.monotonic() - startMs) / 1000;
  await requireReadable(installation, count, original);
  const [size] = await meter.query("SELECT pg_database_size(current_database()) / 1048576 AS value");
  const label = { name: "filling", unit: "s", about: "time to make the finished runs by SQL, which measures nothing of the product" };
  return figureOf(label, [{ value: seconds, details: { "database MiB": Number(size?.value) } }]);
}

/** Has the product make a run, and waits until the attempts of its steps are in their table, which is up to a second behind. */
async function makeOriginal(installation: Installation, { clock }: BenchSetting): Promise<string> {
  using client = connect(installation.address);
  const { start, steps } = WORKLOADS.w1;
  const { runId } = await client.execute(start);
  for (const endMs = clock.monotonic() + LEDGER_MS; clock.monotonic() < endMs; await pause(POLL_MS, clock)) {
    const text = "SELECT count(*)::integer AS value FROM task_executions WHERE run_id = $1::uuid AND status = 'completed'";
    const [row] = await installation.meter.query(text, [runId]);
    if (row?.value === steps) return runId;
  }
  throw new Error("the attempts of the first run have not been stored");
}

/** The product must be able to read the copies. @throws Error it can't, or not all were made. */
async function requireReadable(installation: Installation, count: number, original: string): Promise<void> {
  const { meter } = installation;
  const [row] = await meter.query("SELECT count(*)::integer AS value FROM workflow_runs WHERE id < $1::uuid", [original]);
  if (row?.value !== count) throw new Error(`${count} finished runs were to be made, and there are ${row?.value}`);
  const [oldest] = await meter.query("SELECT id AS value FROM workflow_runs ORDER BY id LIMIT 1");
  using client = connect(installation.address);
  const { output } = await client.getRun(String(oldest?.value));
  if (output !== WORKLOADS.w1.output) throw new Error(`a copy of a finished run can't be read: its output is ${output}`);
}
