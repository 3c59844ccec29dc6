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
  /** Operations at most; it may be over before the time is up. */
  readonly operations?: number;
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

/** Longest wait for operations that are under way when the time is up. */
const STALL_MS = 30_000;

/** Makes the load. @throws what the first failing operation throws; Error for operations that do not end. */
export async function closedLoop(plan: LoadPlan, clock: Clock, operation: () => Promise<void>): Promise<LoadReport> {
  const latenciesMs: number[] = [];
  const failures: unknown[] = [];
  const startCpu = process.cpuUsage();
  const startMs = clock.monotonic();
  let left = plan.operations ?? Number.POSITIVE_INFINITY;
  const client = async (): Promise<void> => {
    for (let nowMs = startMs; nowMs - startMs < plan.durationMs && left > 0 && failures.length === 0; ) {
      left -= 1;
      const sentMs = nowMs;
      await operation();
      nowMs = clock.monotonic();
      latenciesMs.push(nowMs - sentMs);
    }
  };
  const clients = Array.from({ length: plan.inFlight }, () => client().catch((error: unknown) => void failures.push(error)));
  const { promise: stalled, resolve: stall } = Promise.withResolvers<"stalled">();
  const cancel = clock.schedule(plan.durationMs + STALL_MS, () => stall("stalled"));
  const ending = await Promise.race([Promise.all(clients), stalled]);
  cancel();
  if (failures.length > 0) throw failures[0];
  if (ending === "stalled") throw new Error(`operations of the load have not ended ${STALL_MS} ms after its time was up`);
  const elapsedMs = clock.monotonic() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number => percentile(latenciesMs, share);
  return { operations: latenciesMs.length, elapsedMs, cpuUs: user + system, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
