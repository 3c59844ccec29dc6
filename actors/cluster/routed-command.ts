/**
 * What a run is told from outside, wherever it lives, and what it means to tell it again.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { RunStatus } from "../../runtime/storage/journal.ts";
import type { RunSignal, Runs } from "../runs.ts";

/** A command of a client for a run. */
export type RoutedCommand =
  | { readonly kind: "signal"; readonly signal: RunSignal }
  | { readonly kind: "cancel"; readonly reason: string }
  | { readonly kind: "terminate"; readonly reason: string }
  | { readonly kind: "release" };

/** What a run that heard the command before may say to it now. */
const DONE_BEFORE: Readonly<Record<RoutedCommand["kind"], (error: MaestroError) => boolean>> = {
  // The run itself knows the ids of its signals, also when it has ended.
  signal: () => false,
  cancel: (error) => hasEnded(error, "cancelled"),
  terminate: (error) => hasEnded(error, "terminated"),
  release: (error) => error.code === "RUN_NOT_QUARANTINED",
};

/** Tells a run of this node; resolves after the commit. `isRepeat`: it may have been told before, and is not to be refused for that. */
export async function obey(runs: Pick<Runs, RoutedCommand["kind"]>, runId: RunId, command: RoutedCommand, isRepeat: boolean): Promise<void> {
  try {
    await tell(runs, runId, command);
  } catch (error) {
    if (!isRepeat || !(error instanceof MaestroError) || !DONE_BEFORE[command.kind](error)) throw error;
  }
}

/**
 * True if a refusal settles the call. What may have been carried out by an earlier sending is not refused for now: its caller would take it for not done, and
 * ask for it anew under another name.
 */
export function isAnswer(refusal: MaestroError, isRepeat: boolean): boolean {
  return !isRepeat || !refusal.retryable;
}

function tell(runs: Pick<Runs, RoutedCommand["kind"]>, runId: RunId, command: RoutedCommand): Promise<void> {
  switch (command.kind) {
    case "signal":
      return runs.signal(runId, command.signal);
    case "cancel":
      return runs.cancel(runId, command.reason);
    case "terminate":
      return runs.terminate(runId, command.reason);
    case "release":
      return runs.release(runId);
  }
}

function hasEnded(error: MaestroError, status: RunStatus): boolean {
  return error.code === "RUN_ENDED" && error.facts.status === status;
}
