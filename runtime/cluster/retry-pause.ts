/**
 * How long a node waits before it tries again what the cluster needs from it: a look at the ownership, a step of a hand-over. Pure.
 */

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

/** Time to wait after so many failures in a row, from 1, in milliseconds: twice as long after each, at most two seconds. */
export function retryPauseMs(failures: number): number {
  return Math.min(PAUSE_MIN_MS * 2 ** Math.min(failures - 1, 16), PAUSE_MAX_MS);
}
