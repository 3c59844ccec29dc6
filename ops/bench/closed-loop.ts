/**
 * The load of the benchmarks: a number of clients, each of which begins its next operation when its previous one has ended.
 */
import type { Clock } from "../../runtime/clock.ts";
import { percentile } from "./benchmark.ts";

/** How much load, and for how long. Plain data: it is sent to other processes. */
export interface LoadPlan {
  /** Operations under way at any time. */
  readonly inFlight: number;
  readonly durationMs: number;
}

/** What came of it. */
export interface LoadReport {
  readonly operations: number;
  /** From the first start to the last end. */
  readonly elapsedMs: number;
  /** CPU of the process that made the load, all its threads together. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Makes the load. @throws what the first failing operation throws, after the others that were under way have ended. */
export async function closedLoop(plan: LoadPlan, clock: Clock, operation: () => Promise<void>): Promise<LoadReport> {
  const latenciesMs: number[] = [];
  const failures: unknown[] = [];
  const startCpu = process.cpuUsage();
  const startMs = clock.monotonic();
  const client = async (): Promise<void> => {
    for (let nowMs = startMs; nowMs - startMs < plan.durationMs && failures.length === 0; ) {
      const sentMs = nowMs;
      await operation();
      nowMs = clock.monotonic();
      latenciesMs.push(nowMs - sentMs);
    }
  };
  await Promise.all(Array.from({ length: plan.inFlight }, () => client().catch((error: unknown) => void failures.push(error))));
  if (failures.length > 0) throw failures[0];
  const elapsedMs = clock.monotonic() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number => percentile(latenciesMs, share);
  return { operations: latenciesMs.length, elapsedMs, cpuUs: user + system, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
