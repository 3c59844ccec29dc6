/**
 * What the end of a run changes, and the beginning of its undoing: everything that was under way is abandoned.
 */
import { Payload } from "../../json.ts";
import { type ProblemMessage, problemFromWire, statusFromWire } from "./entry.ts";
import { forget } from "./evolve-signal.ts";
import type { LiveStatus, RunState } from "./state.ts";

type WireStatus = Parameters<typeof statusFromWire>[0];

/** A `CompensationStarted` fact. */
export interface UndoingStart {
  readonly outcome: WireStatus;
  readonly error?: ProblemMessage | undefined;
}

/** A `RunEnded` fact. */
export interface RunEnd {
  readonly status: WireStatus;
  readonly output?: string | undefined;
  readonly error?: ProblemMessage | undefined;
}

/** The run undoes its completed tasks: from now on nothing else is executed. */
export function startUndoing(state: RunState, start: UndoingStart): void {
  const status = statusFromWire(start.outcome) === "cancelled" ? "cancelled" : "failed";
  state.undoing = { status, error: problemFromWire(start.error) };
  abandonAll(state);
}

/** The run ends. Without an output of its own it has that of its last task. */
export function endRun(state: RunState, end: RunEnd): void {
  state.status = statusFromWire(end.status) as LiveStatus;
  if (state.status === "completed") state.output = end.output === undefined ? state.ending : Payload.ofText(end.output);
  state.error = problemFromWire(end.error);
  abandonAll(state);
}

function abandonAll(state: RunState): void {
  state.ending = undefined;
  for (const { signal } of state.frames.values()) if (signal !== undefined) forget(state, signal);
  state.undoable = 0;
  state.frames.clear();
  state.ready.clear();
  state.timers.clear();
  state.inFlight = 0;
  state.awaiting = 0;
}
