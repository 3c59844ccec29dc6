/**
 * What a client of a simulated world wants, and what it was told.
 */
import type { RunOutcome } from "../../actors/runs.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Expectation } from "./interpreter.ts";
import type { Program } from "./program.ts";

/** True if the run waits for something that its client will never send, because it does not know of the run. */
export function isLeftAlone({ isOpen, program }: Order): boolean {
  return isOpen && (program.ending === "wait" || program.steps.some(({ kind }) => kind === "ask"));
}

/** The answer that a run has ended, and takes nothing more. */
export interface Refusal {
  readonly runId: RunId;
  /** The id of a signal; undefined: a cancellation. */
  readonly signalId: string | undefined;
  /** When the client heard it: true time, milliseconds since the epoch. */
  readonly atMs: number;
}

/** A run that a client wants. */
export interface Order {
  /** Also the label `order` of its run, and the name of its client. */
  readonly id: string;
  readonly workflowId: string;
  readonly program: Program;
  readonly n: number;
  /** A concurrency key that its run's input tells. */
  readonly desk: string;
  /** The numbers that it is sent, in order. */
  readonly signals: readonly number[];
  readonly expected: Expectation;
  /** Without one, a start whose answer got lost is not repeated. */
  readonly key: string | undefined;
  /** Starts with the call that answers when the run has ended. */
  readonly isExecuted: boolean;
  /** Also reads along while the run is under way. */
  readonly isWatched: boolean;
  /** When the client begins, milliseconds since the world began. */
  readonly beginsAtMs: number;
  /** Run ids that were acknowledged. More than one is a defect. */
  readonly acknowledged: Set<RunId>;
  /** How many signals were acknowledged. */
  signalled: number;
  isCancelled: boolean;
  /** Calls that were refused because the run had ended; they count as heard. */
  readonly refusals: Refusal[];
  /** The client does not know whether the run exists, and has stopped asking. */
  isOpen: boolean;
  /** How the run ended, as the client was told. */
  told: RunOutcome | undefined;
  /** Numbers of the entries that it saw as it read along. */
  readonly watched: number[];
  /** An answer that no client should ever get. */
  trouble: string | undefined;
  /** Nothing more will come of it. */
  isSettled: boolean;
}
