/**
 * An attempt as the dispatcher knows it, from the moment at which its run wants it until its end is committed.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { AttemptOutcome, Isolation } from "../../runtime/workers/pool.ts";
import type { Scheduling } from "../../runtime/workers/scheduling.ts";
import type { AttemptView } from "./core/effects.ts";

/** One attempt. Its fields are the dispatcher's to change. */
export interface UnderWay {
  readonly runId: RunId;
  readonly call: AttemptView;
  readonly input: string;
  readonly traceParent: string;
  readonly isolation: Isolation;
  readonly scheduling: Scheduling;
  /** How long it waited for its slot. */
  waitedMs: number;
  outcome: AttemptOutcome | undefined;
  /** When it got its outcome, on the monotonic clock. */
  settledAtMs: number;
  /** How often the pool itself failed at it. */
  brokenSubmits: number;
  /** When the outcome is offered again, on the monotonic clock, and how long it waits after that. */
  nextOfferMs: number;
  patienceMs: number;
}
