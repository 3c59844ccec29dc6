/**
 * Loads of task attempts without runs: how many a pool executes a second, and how long one takes that comes to a pool at rest.
 */
import type { Clock } from "../../runtime/clock.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { Attempt, WorkerPool } from "../../runtime/workers/pool.ts";
import { latencyRound, type Round } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { WORKLOADS } from "./workload.ts";

/** How long a pool rests before a single attempt, in milliseconds. */
export const REST_MS = 5;

/** Attempts per second with a number of them in flight, and what each costs the main thread. */
export async function loaded(workers: WorkerPool, handler: string, plan: { inFlight: number; durationMs: number }, clock: Clock): Promise<Round> {
  const startCpu = process.threadCpuUsage();
  const { operations, elapsedMs, p50Ms, p99Ms } = await closedLoop(plan, clock, submitter(workers, handler));
  const { user, system } = process.threadCpuUsage(startCpu);
  const details = { "p50 us": p50Ms * 1000, "p99 us": p99Ms * 1000, "main thread us": (user + system) / operations };
  return { value: (operations / elapsedMs) * 1000, details };
}

/** The time of single attempts, each after a rest. */
export async function rested(workers: WorkerPool, durationMs: number, clock: Clock): Promise<Round> {
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
export function submitter(workers: WorkerPool, handler: string): () => Promise<void> {
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
