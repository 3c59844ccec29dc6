/**
 * An attempt that a node has under way and did not hand to its own worker pool at once:
 *
 *     waiting -> lent to an executor -> settled
 *       ^  \          |
 *       |   \-> executed here, and forgotten, or settled (cancelled, waited too long)
 *       \-------------/  the executor gave it back, was lost, or was silent for the time of its loan
 */
import type { CancelTimer } from "../clock.ts";
import type { BootId } from "../ids.ts";
import type { Attempt, AttemptOutcome, Tier } from "../workers/pool.ts";

/** Under what an executor has an attempt. */
export interface LoanTerms {
  readonly executor: BootId;
  /** Sequence of the call that took it. */
  readonly grant: number;
  /** When the loan ends unless it is renewed, on the monotonic clock. */
  untilMs: number;
}

/** One such attempt. Its fields are the lender's to change. */
export interface PendingAttempt {
  readonly attempt: Attempt;
  readonly settle: (outcome: AttemptOutcome) => void;
  /** Grows from attempt to attempt. */
  readonly order: number;
  /** When it is its turn: when it was submitted, on the monotonic clock, and later by its priority, as in the worker pool. */
  readonly turnMs: number;
  /** The tier that is to execute it. Changes only while it is lent. */
  tier: Tier;
  /** How long it waited before, here and for a slot of its concurrency key, in milliseconds. The time for which it was lent does not count. */
  waitedMs: number;
  /** On the monotonic clock. */
  waitingSinceMs: number;
  /** Place in the heap of its line; -1: it does not wait. */
  place: number;
  /** Undefined: it is lent to nobody. */
  loan: LoanTerms | undefined;
  /** Who has it or had it, and may bring its result. */
  borrowers: readonly BootId[];
  /** Executors that were lost while they had it. */
  losses: number;
  /** Nobody wants it executed any more; it is settled when its executor says that it has stopped. */
  isCancelled: boolean;
  /** How it ended at one who had it before, while the one who has it now is being stopped. */
  result: AttemptOutcome | undefined;
  /** Ends the watch over how long it waits. */
  stopWatch: CancelTimer | undefined;
}

/** True if `a` is to be executed before `b`. One that comes back has the turn that it had. */
export function isBefore(a: PendingAttempt, b: PendingAttempt): boolean {
  return a.turnMs === b.turnMs ? a.order < b.order : a.turnMs < b.turnMs;
}

/** The attempt as it is to be executed now: whoever was there when an executor was lost may have been the reason. */
export function asItIs({ attempt, waitedMs, losses }: PendingAttempt): Attempt {
  return losses === 0 ? { ...attempt, waitedMs } : { ...attempt, waitedMs, isolation: "process" };
}
