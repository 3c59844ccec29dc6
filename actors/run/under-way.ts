/**
 * An attempt as the dispatcher knows it, from the moment at which its run wants it until its end is committed.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { AttemptOutcome, Isolation } from "../../runtime/workers/pool.ts";
import type { Scheduling } from "../../runtime/workers/scheduling.ts";
import type { AttemptView } from "./core/effects.ts";

/** What it takes to execute an attempt. */
export interface Execution {
  readonly input: string;
  readonly traceParent: string;
  readonly isolation: Isolation;
}

/** One attempt. Its fields are the dispatcher's to change. */
export interface UnderWay {
  readonly runId: RunId;
  readonly call: AttemptView;
  readonly scheduling: Scheduling;
  /** Undefined: the run has to store first that it is the attempt's turn. */
  execution: Execution | undefined;
  /** How many suspects of lost nodes may be executed at a time when it is, itself included; undefined: it is none, and needs no turn. */
  width: number | undefined;
  /** Since when it waits for a slot and a thread, on the monotonic clock; what it waits for a turn does not count. */
  sinceMs: number;
  /** How often the run was told that it is the attempt's turn. */
  told: number;
  outcome: AttemptOutcome | undefined;
  /** When it got its outcome, on the monotonic clock. */
  settledAtMs: number;
  /** How often the pool itself failed at it. */
  brokenSubmits: number;
}
