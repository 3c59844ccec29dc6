/**
 * What clients notice of a cluster whose nodes come and go: how long their operations took, which attempts failed, and how long nothing was completed
 * at all. Pure.
 */
import { percentile } from "./benchmark.ts";

/** Sums over one load. */
export interface OutageReport {
  readonly completed: number;
  /** Operations that the client gave up. */
  readonly failed: number;
  /** Attempts that failed and were made again. */
  readonly repeated: number;
  /** Failed attempts by their code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Longest time between two completions of all clients together. */
  readonly longestGapMs: number;
  readonly elapsedMs: number;
}

/** Keeps count. */
export class OutageLog {
  readonly #startMs: number;
  readonly #latenciesMs: number[] = [];
  readonly #codes = new Map<string, number>();
  #lastMs: number;
  #longestGapMs = 0;
  #failed = 0;
  #repeated = 0;

  /** `nowMs`: monotonic, as all times here. */
  constructor(nowMs: number) {
    this.#startMs = nowMs;
    this.#lastMs = nowMs;
  }

  /** Operations that were completed so far. */
  get completed(): number {
    return this.#latenciesMs.length;
  }

  /** An operation that began at `sentMs` is complete. */
  complete(sentMs: number, nowMs: number): void {
    this.#latenciesMs.push(nowMs - sentMs);
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** An attempt failed, and is made again or not. */
  fail(code: string, isRepeated: boolean): void {
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    if (isRepeated) this.#repeated += 1;
    else this.#failed += 1;
  }

  /** The sums until now. */
  report(nowMs: number): OutageReport {
    const sorted = [...this.#latenciesMs].sort((a, b) => a - b);
    return {
      ...{ completed: sorted.length, failed: this.#failed, repeated: this.#repeated, codes: Object.fromEntries(this.#codes) },
      ...{ p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: sorted.at(-1) ?? Number.NaN },
      longestGapMs: Math.max(this.#longestGapMs, nowMs - this.#lastMs),
      elapsedMs: nowMs - this.#startMs,
    };
  }
}
