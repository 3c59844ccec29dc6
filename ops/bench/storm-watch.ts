/**
 * Watches many runs end that all fall due at one time: how late each was. It runs in the node's process.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { EventHub } from "../../runtime/events.ts";
import { percentile } from "./benchmark.ts";

/** An order to wait until runs have ended. */
export interface EndsOrder {
  readonly kind: "ends";
  readonly count: number;
  /** When all of them fall due, in milliseconds since the epoch. */
  readonly dueAtMs: number;
  /** Longest wait after that. */
  readonly timeoutMs: number;
}

/** Lateness of the ends, each with its commit. */
export interface EndsReport {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the last: the time in which all of them have ended. */
  readonly lastMs: number;
  /** How many ended before they were due. */
  readonly early: number;
}

/** Resolves when `count` runs have ended. @throws Error if they do not in time. */
export function awaitEnds({ count, dueAtMs, timeoutMs }: EndsOrder, events: EventHub, clock: Clock): Promise<EndsReport> {
  const lateMs: number[] = [];
  return new Promise((resolve, reject) => {
    const stop = events.on("run.ended", () => {
      lateMs.push(clock.now() - dueAtMs);
      if (lateMs.length < count) return;
      finish();
      lateMs.sort((a, b) => a - b);
      const early = lateMs.filter((late) => late < 0).length;
      resolve({ p50Ms: percentile(lateMs, 0.5), p99Ms: percentile(lateMs, 0.99), lastMs: lateMs.at(-1) ?? 0, early });
    });
    const cancel = clock.schedule(dueAtMs - clock.now() + timeoutMs, () => {
      finish();
      reject(new Error(`${lateMs.length} of ${count} runs have ended ${timeoutMs} ms after they were due`));
    });
    const finish = (): void => {
      stop();
      cancel();
    };
  });
}
