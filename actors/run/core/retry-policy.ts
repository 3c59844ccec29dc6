/**
 * When a failed attempt is followed by another one: backoff, bounds and jitter. Pure.
 */
import type { Random } from "../../../runtime/random.ts";
import type { RetryOptions } from "../../../runtime/workers/pool.ts";

/** How a delay grows. */
export type Backoff = "constant" | "linear" | "exponential";

const DEFAULT_DELAY_MS = 1_000;
const DEFAULT_MAX_DELAY_MS = 60_000;
const DEFAULT_JITTER = 0.2;

/** Longest delay between two retries of a `try`, in milliseconds: the cap that the specification leaves to the runtime. */
export const RETRY_DELAY_MAX_MS = 3_600_000;

/** Delay before the attempt that follows failed attempt number `failed` (from 1), in milliseconds; undefined: no further attempt. */
export function retryDelay(options: RetryOptions | undefined, failed: number, random: Random): number | undefined {
  if (options === undefined || failed >= options.attempts) return undefined;
  const delayMs = backoffDelay(options.delayMs ?? DEFAULT_DELAY_MS, options.backoff ?? "exponential", failed);
  const cappedMs = Math.min(delayMs, options.maxDelayMs ?? DEFAULT_MAX_DELAY_MS);
  return cappedMs * (1 + (random.fraction() - 0.5) * (options.jitter ?? DEFAULT_JITTER));
}

/** The delay after failure number `failed` (from 1): the same, growing by itself, or doubling. */
export function backoffDelay(delayMs: number, backoff: Backoff, failed: number): number {
  if (backoff === "constant") return delayMs;
  if (backoff === "linear") return delayMs * failed;
  return delayMs * 2 ** Math.min(failed - 1, 52);
}
