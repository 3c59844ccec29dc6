/**
 * The worker pool with handlers that do nothing, in both tiers: attempts per second and CPU of the node's own thread at several numbers in
 * flight, and what waking a thread up costs.
 */
import type { Clock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { Attempt, WorkerPool } from "../../runtime/workers/pool.ts";
import { startWorkerPool } from "../../runtime/workers/tiered-pool.ts";
import { type Benchmark, latencyRound, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { HANDLERS_FOLDER, WORKLOADS } from "./workload.ts";

const REST_MS = 5;
const WARM_UP = { inFlight: 300, durationMs: 500 };

/** `npm run bench -- pool`. */
export const pool: Benchmark = {
  name: "pool",
  about: "Task attempts through one worker thread and back, without runs.",
  async measure(setting) {
    const { clock, roundMs: durationMs } = setting;
    const workers = await startWorkerPool({ clock, events: new EventHub(), threads: 1, handlersFolder: HANDLERS_FOLDER });
    try {
      const loads: Measured[] = [];
      for (const [handler, where, inFlights] of TIERS) {
        setting.progress(`warming up: ${handler}`);
        await closedLoop(WARM_UP, clock, submitter(workers, handler));
        for (const inFlight of inFlights) {
          const label = { name: `${handler}, ${inFlight}`, unit: "attempts/s", about: `attempts with ${inFlight} in flight, ${where}` };
          loads.push({ label, round: () => loaded(workers, handler, { inFlight, durationMs }, clock) });
        }
      }
      const about = `one attempt after ${REST_MS} ms without any: every thread has gone to sleep`;
      const atRest = { label: { name: "noop, at rest", unit: "us", about }, round: () => rested(workers, durationMs, clock) };
      return await measureInTurn(setting, [...loads, atRest]);
    } finally {
      await workers.stop(1_000);
    }
  },
};

const TIERS = [
  ["noop", "in a thread of the node", [1, 100, 300, 1_000]],
  ["noop-in-child", "in a thread of a child process", [1, 300]],
] as const;

async function loaded(workers: WorkerPool, handler: string, plan: { inFlight: number; durationMs: number }, clock: Clock): Promise<Round> {
  const startCpu = process.threadCpuUsage();
  const { operations, elapsedMs, p50Ms, p99Ms } = await closedLoop(plan, clock, submitter(workers, handler));
  const { user, system } = process.threadCpuUsage(startCpu);
  const details = { "p50 us": p50Ms * 1000, "p99 us": p99Ms * 1000, "main thread us": (user + system) / operations };
  return { value: (operations / elapsedMs) * 1000, details };
}

async function rested(workers: WorkerPool, durationMs: number, clock: Clock): Promise<Round> {
  const submit = submitter(workers, "noop");
  const latenciesUs: number[] = [];
  for (const endMs = clock.monotonic() + durationMs; clock.monotonic() < endMs; ) {
    await pause(REST_MS, clock);
    const sentMs = clock.monotonic();
    await submit();
    latenciesUs.push((clock.monotonic() - sentMs) * 1000);
  }
  return latencyRound(latenciesUs);
}

/** Submits one attempt after the other; each resolves with its end. */
function submitter(workers: WorkerPool, handler: string): () => Promise<void> {
  let number = 0;
  return () =>
    new Promise((resolve, reject) => {
      number += 1;
      workers.submit(attempt(handler, number), (outcome) => {
        if (outcome.kind === "completed" && outcome.output === WORKLOADS.w1.output) resolve();
        else reject(new Error(`an attempt of the benchmark ended with ${JSON.stringify(outcome)}`));
      });
    });
}

function attempt(handler: string, number: number): Attempt {
  const runId = "01994f3e-1234-7abc-8def-0123456789ab";
  const input = '{"order":4711,"items":["a","b","c"],"note":"about a hundred bytes of input, as in the workload"}';
  return {
    id: `${runId}/${handler}/${number}/1`,
    handler,
    input,
    idempotencyKey: `${runId}/${number}`,
    runId,
    task: "/do/0/step",
    attempt: 1,
    traceParent: "",
    queue: "default",
    priority: 3,
  };
}
