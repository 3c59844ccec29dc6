/**
 * One attempt as the pool sees it, from its submission to its outcome:
 *
 *     queued -> running -> ended
 *            \-> ended (cancelled, or waited too long)
 *
 * While it runs, a verdict (cancelled, timed out) may be fixed before the thread has stopped working on it: it is told only when the thread
 * has, so that a repetition never overlaps with an attempt that is still at work.
 */
import type { CancelTimer } from "../clock.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Attempt, AttemptOutcome, HandlerInfo } from "./pool.ts";
import type { PoolThread } from "./pool-thread.ts";
import type { WireId } from "./protocol.ts";
import type { QueueLoad } from "./queue-load.ts";

/** One attempt under way. Its fields are the pool's to change. */
export interface Execution {
  readonly id: WireId;
  readonly attempt: Attempt;
  readonly handler: HandlerInfo;
  readonly settle: (outcome: AttemptOutcome) => void;
  readonly queuedAtMs: number;
  startedAtMs: number;
  deadlines: Deadlines | undefined;
  /** Undefined while it is queued. */
  thread: PoolThread | undefined;
  verdict: AttemptOutcome | undefined;
  /** Ends the patience with an attempt that has a verdict. */
  cancelGrace: CancelTimer | undefined;
}

/** What an attempt adds to the load of its queue, at a time on the monotonic clock. */
export function loadOf({ thread, queuedAtMs }: Execution, nowMs: number): QueueLoad {
  return thread === undefined ? { waiting: 1, active: 0, oldestWaitMs: nowMs - queuedAtMs } : { waiting: 0, active: 1, oldestWaitMs: 0 };
}

/** The outcome to tell, given how the thread says that the attempt ended. What was done before a cancellation arrived counts as done. */
export function finalOutcome(verdict: AttemptOutcome | undefined, ended: AttemptOutcome): AttemptOutcome {
  if (verdict === undefined) return ended;
  return verdict.kind === "cancelled" && ended.kind === "completed" ? ended : verdict;
}
