/**
 * What a run is told from outside, wherever it lives, and what it means to tell it again.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { RunSignal, Runs } from "../runs.ts";

/** A command of a client for a run. */
export type RoutedCommand =
  | { readonly kind: "signal"; readonly signal: RunSignal }
  | { readonly kind: "cancel"; readonly reason: string }
  | { readonly kind: "terminate"; readonly reason: string }
  | { readonly kind: "release" };

/** Tells a run of this node; resolves after the commit. `isRepeat`: it may have been told before, and is not to be refused for that. */
export function obey(runs: Pick<Runs, RoutedCommand["kind"]>, runId: RunId, command: RoutedCommand, isRepeat: boolean): Promise<void> {
  switch (command.kind) {
    // The run itself knows the ids of its signals and how it was ended, also when it has ended.
    case "signal":
      return runs.signal(runId, command.signal);
    case "cancel":
      return runs.cancel(runId, command.reason);
    case "terminate":
      return runs.terminate(runId, command.reason);
    case "release":
      return release(runs, runId, isRepeat);
  }
}

/**
 * True if a refusal settles the call. What may have been carried out by an earlier sending is not refused for now: its caller would take it for not done, and
 * ask for it anew under another name.
 */
export function isAnswer(refusal: MaestroError, isRepeat: boolean): boolean {
  return !isRepeat || !refusal.retryable;
}

/** Nothing tells a run that was released from one that was never in quarantine. */
async function release(runs: Pick<Runs, "release">, runId: RunId, isRepeat: boolean): Promise<void> {
  try {
    await runs.release(runId);
  } catch (error) {
    if (!isRepeat || !(error instanceof MaestroError) || error.code !== "RUN_NOT_QUARANTINED") throw error;
  }
}
