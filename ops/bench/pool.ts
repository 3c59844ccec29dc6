/**
 * Round trips through the worker pool with handlers that do nothing, in both tiers: attempts a second and CPU of the node's own thread at several
 * numbers in flight, and the latency at one. Run it with `node ops/bench/pool.ts [seconds a row]`.
 */
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import type { Attempt, WorkerPool } from "../../runtime/workers/pool.ts";
import { startWorkerPool } from "../../runtime/workers/tiered-pool.ts";

const HANDLERS = fileURLToPath(new URL("../../test/fixtures/handlers", import.meta.url));
const PAUSE_MS = 5;
const clock = systemClock();

/** What one row measured. */
interface Row {
  readonly inFlight: string;
  readonly attemptsPerSecond: number;
  /** CPU of the node's own thread, per attempt. */
  readonly nodeCpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** One attempt after the other with a pause before each, so that every thread has gone to sleep: what waking up costs. */
async function measureIdle(pool: WorkerPool, durationMs: number): Promise<Row> {
  const latenciesUs: number[] = [];
  const startMs = clock.monotonic();
  const startCpu = process.threadCpuUsage();
  while (clock.monotonic() - startMs < durationMs) {
    await new Promise<void>((resolve) => clock.schedule(PAUSE_MS, resolve));
    const sentMs = clock.monotonic();
    await new Promise<void>((resolve) => pool.submit(attempt("noop", latenciesUs.length), () => resolve()));
    latenciesUs.push((clock.monotonic() - sentMs) * 1000);
  }
  return rowOf(`noop, 1 after ${PAUSE_MS} ms of rest`, latenciesUs, startMs, startCpu);
}

/** Keeps `inFlight` attempts going for `durationMs`. */
async function measure(pool: WorkerPool, handler: string, inFlight: number, durationMs: number): Promise<Row> {
  const latenciesUs: number[] = [];
  const done = Promise.withResolvers<void>();
  const startMs = clock.monotonic();
  const startCpu = process.threadCpuUsage();
  let submitted = 0;
  let open = 0;
  const submit = (): void => {
    const sentMs = clock.monotonic();
    submitted += 1;
    open += 1;
    const settle = (): void => {
      const nowMs = clock.monotonic();
      latenciesUs.push((nowMs - sentMs) * 1000);
      open -= 1;
      if (nowMs - startMs < durationMs) submit();
      else if (open === 0) done.resolve();
    };
    pool.submit(attempt(handler, submitted), settle);
  };
  for (let index = 0; index < inFlight; index += 1) submit();
  await done.promise;
  return rowOf(`${handler}, ${inFlight}`, latenciesUs, startMs, startCpu);
}

function rowOf(inFlight: string, latenciesUs: number[], startMs: number, startCpu: NodeJS.CpuUsage): Row {
  const elapsedMs = clock.monotonic() - startMs;
  const cpu = process.threadCpuUsage(startCpu);
  latenciesUs.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(latenciesUs[Math.floor(latenciesUs.length * share)] ?? 0);
  return {
    inFlight,
    attemptsPerSecond: Math.round((latenciesUs.length / elapsedMs) * 1000),
    nodeCpuUs: Number(((cpu.user + cpu.system) / latenciesUs.length).toFixed(2)),
    p50Us: at(0.5),
    p99Us: at(0.99),
  };
}

function attempt(handler: string, number: number): Attempt {
  const runId = "01994f3e-1234-7abc-8def-0123456789ab";
  const input = '{"order":4711,"items":["a","b","c"],"note":"about a hundred bytes of input, as in the workload"}';
  return {
    id: `${runId}/${number}/1`,
    handler,
    input,
    idempotencyKey: `${runId}/${number}`,
    runId,
    task: "/do/0/step",
    attempt: 1,
    traceParent: "",
  };
}

const seconds = Number(process.argv[2] ?? 2);
const pool = await startWorkerPool({ clock, events: new EventHub(), threads: 1, handlersFolder: HANDLERS });
await measure(pool, "noop", 300, 500);
await measure(pool, "noop-in-child", 300, 500);
const rows: Row[] = [];
for (const inFlight of [1, 100, 300, 1_000]) rows.push(await measure(pool, "noop", inFlight, seconds * 1000));
for (const inFlight of [1, 300]) rows.push(await measure(pool, "noop-in-child", inFlight, seconds * 1000));
rows.push(await measureIdle(pool, seconds * 1000));
await pool.stop(1_000);
console.table(rows);
