/**
 * The port for time. Nothing else in the product reads a clock or sets a timer, so that tests and simulation can own time.
 */

/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/** Wall time for facts, monotonic time for durations, and timers. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as an integer. May jump; never used to measure a duration. */
  now(): number;
  /** Milliseconds from an arbitrary origin, with fractions. Never goes back. */
  monotonic(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now or later. Any delay is allowed, also more than 2^31 ms. */
  schedule(delayMs: number, callback: () => void): CancelTimer;
}

/** Longest delay that the platform's timers take (2^31 - 1 ms, about 24.8 days). Longer ones are chained. */
const PLATFORM_DELAY_MAX_MS = 2_147_483_647;

/** The machine's clock. Its timers do not keep the process alive. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      let timer: NodeJS.Timeout;
      const arm = (remainingMs: number): void => {
        const stepMs = Math.min(Math.max(remainingMs, 0), PLATFORM_DELAY_MAX_MS);
        timer = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : callback()), stepMs);
        timer.unref();
      };
      arm(delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** A clock that stands still until it is told to go on. For tests and simulation. */
export interface VirtualClock extends Clock {
  /** Moves time forward and fires what falls due on the way, in order of due time and then of scheduling. */
  advance(durationMs: number): void;
  /** Milliseconds until the next timer, or undefined without one. */
  untilNext(): number | undefined;
}

/** A {@link VirtualClock} that starts at `startMs` (milliseconds since the epoch). For tests and simulation. */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let nowMs = startMs;
  let order = 0;
  const pending: { dueMs: number; order: number; callback: () => void }[] = [];
  const next = () =>
    pending.reduce<(typeof pending)[number] | undefined>((best, timer) => (best === undefined || isBefore(timer, best) ? timer : best), undefined);
  const remove = (timer: (typeof pending)[number]): void => {
    const index = pending.indexOf(timer);
    if (index >= 0) pending.splice(index, 1);
  };
  return {
    now: () => Math.floor(nowMs),
    monotonic: () => nowMs - startMs,
    schedule(delayMs, callback) {
      const timer = { dueMs: nowMs + Math.max(delayMs, 0), order: order++, callback };
      pending.push(timer);
      return () => remove(timer);
    },
    advance(durationMs) {
      const endMs = nowMs + durationMs;
      for (let timer = next(); timer !== undefined && timer.dueMs <= endMs; timer = next()) {
        remove(timer);
        nowMs = Math.max(nowMs, timer.dueMs);
        timer.callback();
      }
      nowMs = endMs;
    },
    untilNext() {
      const timer = next();
      return timer === undefined ? undefined : Math.max(timer.dueMs - nowMs, 0);
    },
  };
}

function isBefore(a: { dueMs: number; order: number }, b: { dueMs: number; order: number }): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
