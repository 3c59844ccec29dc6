/**
 * How long events are gathered before they are sent. A write to the connection costs as much as many events, here and in the server. While there are few, that
 * is cheap, and they are sent soon; the more there are, the longer they are gathered, up to what the client library sends in one write anyway (32 KiB).
 * Pure: time comes in.
 */

/** The shortest time of gathering, in milliseconds. */
const GATHER_MIN_MS = 1;
/** The longest, in milliseconds. */
const GATHER_MAX_MS = 4;
/** Milliseconds of gathering for each event in a millisecond. */
const MS_PER_RATE = 0.35;

/** The pace of one publisher. */
export class Gathering {
  #lastMs: number;
  /** Events a millisecond, the last writes counting most. */
  #rate = 0;

  /** `nowMs`: monotonic, as all times here. */
  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** How long to gather now, in milliseconds. */
  get delayMs(): number {
    return Math.min(Math.max(this.#rate * MS_PER_RATE, GATHER_MIN_MS), GATHER_MAX_MS);
  }

  /** So many events were written at once. */
  wrote(count: number, nowMs: number): void {
    const elapsedMs = Math.max(nowMs - this.#lastMs, GATHER_MIN_MS);
    this.#lastMs = nowMs;
    this.#rate = (this.#rate + count / elapsedMs) / 2;
  }
}
