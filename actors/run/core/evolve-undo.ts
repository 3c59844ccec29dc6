/**
 * What facts change in the list of the tasks that a run would undo.
 */
import { invariant } from "../../../runtime/assert.ts";
import type { Problem } from "../../language/problem.ts";
import type { RunState, Undo } from "./state.ts";

/** A task completed that is to be undone if the run fails. */
export function pushUndo(state: RunState, undo: Undo): void {
  state.undo.push(undo);
  state.undoChars += undo.input.text.length;
}

/** The task that completed last is undone, or could not be: `error` says why. */
export function popUndo(state: RunState, error?: Problem): void {
  const undone = state.undo.pop();
  invariant(undone !== undefined, "there is a task to undo");
  state.undoChars -= undone.input.text.length;
  if (error !== undefined) state.undoErrors.push(state.undoErrors.length === 0 ? error : withoutTexts(error));
}

/** Of the later errors only their number counts: they may be as many as the tasks, and each may be large. */
function withoutTexts({ type, status, instance }: Problem): Problem {
  return { type, status, ...(instance !== undefined && { instance }) };
}
