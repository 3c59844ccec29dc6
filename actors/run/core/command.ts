/**
 * What a run can be told. Plain data.
 */
import type { AttemptOutcome } from "../../../runtime/workers/pool.ts";
import type { RunSignal, StartRun } from "../../runs.ts";

/** A command for a run. */
export type RunCommand =
  | { readonly kind: "start"; readonly request: StartRun }
  | { readonly kind: "attemptEnded"; readonly frame: number; readonly attempt: number; readonly outcome: AttemptOutcome }
  /** The node that had the run was lost, with all attempts that were under way. `waiting`: frames whose attempts it had not begun to execute. */
  | { readonly kind: "nodeLost"; readonly waiting: ReadonlySet<number> }
  /** It is the turn of an attempt that was under way at several losses of a node. */
  | { readonly kind: "isolate"; readonly frame: number; readonly attempt: number }
  | { readonly kind: "timerFired"; readonly timer: number }
  | { readonly kind: "signal"; readonly signal: RunSignal }
  | { readonly kind: "cancel"; readonly reason: string }
  | { readonly kind: "terminate"; readonly reason: string }
  /** Goes on with what is ready: after loading, after an evaluation, or in the next turn of a long step. */
  | { readonly kind: "resume" };
