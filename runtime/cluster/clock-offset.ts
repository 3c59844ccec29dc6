/**
 * How far a node's wall clock is from the store's, and whether that is worth a warning. Pure. The store says its time with an answer, at some moment of
 * the round trip; taken for the middle of it, the time is wrong by half of the round trip at most. No promise rests on what comes out of this.
 */
import { LIMITS } from "../limits.ts";

/** Comparisons that are kept; the one with the shortest round trip counts. After a clock has leapt, so many renewals pass at most until that is noticed. */
const KEPT = 5;
/** A wall clock is read in whole milliseconds. */
const GRAIN_MS = 1;
/** A warning ends when the offset is certainly below this share of the bound, so that a clock at the bound does not make one after another. */
const ALIGNED_SHARE = 0.5;

/** When a question was sent and answered. */
export interface TimedAnswer {
  /** On the node's wall clock, in milliseconds since the epoch. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** On the node's monotonic clock, in milliseconds. */
  readonly roundTripMs: number;
  /** What the store's wall clock showed at some moment between, in milliseconds since the epoch. */
  readonly storeTimeMs: number;
}

/** A node's wall clock less the store's, in milliseconds: positive if it is ahead. The truth is at most `uncertaintyMs` away. */
export interface ClockOffset {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** What is known of a node's clock. */
export interface ClockRecord {
  /** The last comparisons, oldest first. */
  readonly kept: readonly ClockOffset[];
  /** It is known to be off by more than {@link LIMITS.clockOffsetMs}, and not yet known to be well below that again. */
  readonly isSkewed: boolean;
}

/** The record after a comparison. */
export interface ClockVerdict extends ClockRecord {
  /** The most certain of those that are kept, the newer of equals. */
  readonly best: ClockOffset;
}

/** The record of a node that begins. */
export const NOTHING_COMPARED: ClockRecord = { kept: [], isSkewed: false };

/**
 * What one answer shows. A machine that was suspended meanwhile has a wall clock that went on and a monotonic one that did not, and a wall clock may
 * have leapt: the longer of both times is the round trip, and what counts is where the wall clock stands now.
 */
export function offsetOf({ sentAtMs, receivedAtMs, roundTripMs, storeTimeMs }: TimedAnswer): ClockOffset {
  const halfMs = Math.max(roundTripMs, receivedAtMs - sentAtMs) / 2;
  return { offsetMs: receivedAtMs - halfMs - storeTimeMs, uncertaintyMs: halfMs + GRAIN_MS };
}

/** The record after one more comparison. */
export function verdictAfter({ kept: before, isSkewed: wasSkewed }: ClockRecord, offset: ClockOffset): ClockVerdict {
  const kept = [...before, offset].slice(-KEPT);
  const best = kept.reduce((one, next) => (one.uncertaintyMs < next.uncertaintyMs ? one : next));
  const distanceMs = Math.abs(best.offsetMs);
  const isSkewed = wasSkewed
    ? distanceMs + best.uncertaintyMs >= ALIGNED_SHARE * LIMITS.clockOffsetMs
    : distanceMs - best.uncertaintyMs > LIMITS.clockOffsetMs;
  return { kept, best, isSkewed };
}
