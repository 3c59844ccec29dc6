/**
 * The ceiling of the journal: runs a second through group commit alone, with no engine above it, in the shape of workload W1 (a run is
 * four writes, each awaited: it is created with its first entries, and its last write ends it). Every store of the table below starts
 * empty, on an embedded server in a temporary folder.
 *
 * Run it with `node ops/bench/journal.ts [seconds a row] [lanes, comma separated] [in flight, comma separated] [index to drop ...]`; an
 * index named there is dropped first, which shows what it costs.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId, newRunId, newUuid, SHARD_COUNT } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { type EmbeddedPg, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { connectPg } from "../../runtime/storage/pg-connection.ts";
import { openPgJournal } from "../../runtime/storage/pg-journal.ts";
import { migrate } from "../../runtime/storage/pg-migrate.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";

const STEPS = 4;
const ENTRY_BYTES = 150;
/** Length of a tick of the CPU times below /proc, on every Linux in use. */
const TICK_MS = 10;

const clock = systemClock();
const random = systemRandom();

/** What one row measured. */
interface Row {
  readonly lanes: number;
  readonly inFlight: number;
  readonly runsPerSecond: number;
  readonly writesPerBatch: number;
  readonly commitMs: number;
  readonly nodeCpuUsPerRun: number;
  readonly pgCpuUsPerRun: number;
  readonly walBytesPerStep: number;
}

/** One run: four writes, each after the previous one's commit. */
async function oneRun(journal: Journal, workflowId: string): Promise<void> {
  const runId = newRunId(random.uint32() % SHARD_COUNT, clock.now(), random);
  const entries = new Uint8Array(ENTRY_BYTES).fill(0x61);
  const create = { workflowId, userId: "bench", labels: {} };
  await journal.append({ runId, firstSeq: 1, entryCount: 2, entries, create, head: { status: "running", wake: 1 } });
  for (let step = 1; step < STEPS - 1; step++) await journal.append({ runId, firstSeq: 2 * step + 1, entryCount: 2, entries });
  const head = { status: "completed", wake: 0, endedAtMs: clock.now() } as const;
  await journal.append({ runId, firstSeq: 2 * STEPS - 1, entryCount: 2, entries, head });
}

async function measure(server: EmbeddedPg, lanes: number, inFlight: number, durationMs: number): Promise<Row> {
  const { url } = server;
  const bootId = newBootId(random);
  const ownership = await openPgOwnership({ url });
  const claim = await ownership.claim({ bootId, nodeName: "bench", lanes, leaseMs: 60_000 });
  await ownership.close();
  const events = new EventHub();
  const sums = { batches: 0, writes: 0, commitMs: 0 };
  events.on("journal.committed", (event) => {
    sums.batches++;
    sums.writes += event.writes;
    sums.commitMs += event.durationMs;
  });
  const journal = await openPgJournal({ url, bootId, claim, lanes, clock, random, events });
  const workflowId = newUuid(random);
  await oneRun(journal, workflowId);
  const before = { wal: await walBytes(url), pgMs: await pgCpuMs(server), cpu: process.cpuUsage(), ms: clock.monotonic() };
  let runs = 0;
  const client = async (): Promise<void> => {
    for (; clock.monotonic() - before.ms < durationMs; runs++) await oneRun(journal, workflowId);
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  const elapsedMs = clock.monotonic() - before.ms;
  const cpu = process.cpuUsage(before.cpu);
  const pgMs = (await pgCpuMs(server)) - before.pgMs;
  const wal = (await walBytes(url)) - before.wal;
  await journal.close();
  return {
    lanes,
    inFlight,
    runsPerSecond: Math.round((runs / elapsedMs) * 1000),
    writesPerBatch: Math.round(sums.writes / sums.batches),
    commitMs: Number((sums.commitMs / sums.batches).toFixed(2)),
    nodeCpuUsPerRun: Math.round((cpu.user + cpu.system) / runs),
    pgCpuUsPerRun: Math.round((pgMs * 1000) / runs),
    walBytesPerStep: Math.round(wal / runs / STEPS),
  };
}

async function query<Row>(url: string, text: string): Promise<readonly Row[]> {
  const client = await connectPg(url, { applicationName: "maestro-bench" });
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function walBytes(url: string): Promise<number> {
  const [row] = await query<{ bytes: string }>(url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes");
  return Number(row?.bytes);
}

/** CPU of the server and its processes so far, those that ended included. Linux only; elsewhere NaN. */
async function pgCpuMs(server: EmbeddedPg): Promise<number> {
  if (process.platform !== "linux") return Number.NaN;
  let ticks = 0;
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, "utf8").catch(() => "") : "";
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
    if (Number(name) === server.pid) ticks += user + system + endedUser + endedSystem;
    else if (Number(fields[1]) === server.pid) ticks += user + system;
  }
  return ticks * TICK_MS;
}

const [seconds = "3", lanes = "1,2", inFlight = "100,300,1000", ...dropped] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "maestro-bench-"));
const server = await startEmbeddedPg({ folder: join(folder, "data"), clock, random });
try {
  await migrate(server.url);
  for (const index of dropped) await query(server.url, `DROP INDEX ${index}`);
  const rows: Row[] = [];
  for (const laneCount of lanes.split(",").map(Number)) {
    for (const concurrency of inFlight.split(",").map(Number)) {
      await query(server.url, "TRUNCATE workflow_runs, journal");
      await query(server.url, "CHECKPOINT");
      rows.push(await measure(server, laneCount, concurrency, Number(seconds) * 1000));
    }
  }
  console.table(rows);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
