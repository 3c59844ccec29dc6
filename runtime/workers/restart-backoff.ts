/**
 * How long to wait before a lost thread is replaced. Pure but for what it remembers: the losses of the last minute.
 */

const WINDOW_MS = 60_000;
const FREE_LOSSES = 3;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;

/** Delays for a pool whose threads keep dying: none at first, then doubling up to two seconds. */
export class RestartBackoff {
  readonly #threads: number;
  #lossesMs: number[] = [];

  /** `threads` may be lost at once, when their process dies: that counts like one of one. */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Notes a loss at `nowMs` (monotonic); answers the delay before the replacement, in milliseconds. */
  lost(nowMs: number): number {
    this.#lossesMs = this.#lossesMs.filter((lossMs) => nowMs - lossMs < WINDOW_MS).slice(-20 * this.#threads);
    this.#lossesMs.push(nowMs);
    const beyond = Math.ceil(this.#lossesMs.length / this.#threads) - FREE_LOSSES;
    return beyond <= 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (beyond - 1), LONGEST_DELAY_MS);
  }
}
