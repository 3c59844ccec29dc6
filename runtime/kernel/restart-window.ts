/**
 * How often an actor may be restarted, and how long to wait before each restart. Pure: time is monotonic milliseconds that the caller reads,
 * chance a fraction that the caller draws.
 */
import { invariant } from "../assert.ts";

/** Most restarts that one window may allow: bounds what is remembered of each actor. */
const MAX_RESTARTS = 1_000;

/** At most `maxRestarts` restarts within any `withinMs` milliseconds. */
export interface RestartIntensity {
  /** 0 to 1,000; 0 allows no restart at all. */
  readonly maxRestarts: number;
  /** Length of the sliding window in milliseconds, more than 0. */
  readonly withinMs: number;
}

/** Delay before a restart: it grows with each restart that the window remembers. */
export interface Backoff {
  /** Delay before the first restart, in milliseconds; 0 restarts at once. */
  readonly initialMs: number;
  /** Longest delay in milliseconds. */
  readonly maxMs: number;
  /** What the delay is multiplied with each time, at least 1. */
  readonly factor: number;
  /** Share of the delay that chance may take off, 0 to 1: actors that failed together do not come back together. */
  readonly jitter: number;
}

/** When an actor was restarted: monotonic milliseconds, oldest first, none older than the window. */
export type RestartTimes = readonly number[];

/** Throws InvariantBroken unless the numbers make sense. */
export function checkIntensity(intensity: RestartIntensity): void {
  const { maxRestarts, withinMs } = intensity;
  invariant(
    Number.isInteger(maxRestarts) && maxRestarts >= 0 && maxRestarts <= MAX_RESTARTS,
    `maxRestarts must be 0 to ${MAX_RESTARTS}, not ${maxRestarts}`,
  );
  invariant(withinMs > 0 && Number.isFinite(withinMs), `withinMs must be more than 0, not ${withinMs}`);
}

/** Throws InvariantBroken unless the numbers make sense. */
export function checkBackoff(backoff: Backoff): void {
  const { initialMs, maxMs, factor, jitter } = backoff;
  invariant(initialMs >= 0 && Number.isFinite(initialMs), `initialMs must be 0 or more, not ${initialMs}`);
  invariant(maxMs >= initialMs && Number.isFinite(maxMs), `maxMs must be at least initialMs, not ${maxMs}`);
  invariant(factor >= 1 && Number.isFinite(factor), `factor must be at least 1, not ${factor}`);
  invariant(jitter >= 0 && jitter <= 1, `jitter must be 0 to 1, not ${jitter}`);
}

/** The times with a restart at `nowMs` added, or undefined if that one would be too many. A restart exactly `withinMs` ago still counts. */
export function addRestart(times: RestartTimes, nowMs: number, intensity: RestartIntensity): RestartTimes | undefined {
  const recent = times.filter((time) => nowMs - time <= intensity.withinMs);
  return recent.length < intensity.maxRestarts ? [...recent, nowMs] : undefined;
}

/** Milliseconds to wait before the restart number `restart` (from 1) of a window. `fraction` is chance, 0 to 1. */
export function backoffMs(backoff: Backoff, restart: number, fraction: number): number {
  if (backoff.initialMs === 0) return 0; // the power may be infinite, and its product with 0 no number
  const fullMs = Math.min(backoff.initialMs * backoff.factor ** (restart - 1), backoff.maxMs);
  return fullMs * (1 - backoff.jitter * fraction);
}
