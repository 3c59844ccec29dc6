/**
 * What is to be done about a fact once it is committed: plain data, carried out by the actor. Computed before the fact is folded in, because the
 * frames that it ends are still there then.
 */
import { timeOf } from "../../../runtime/ids.ts";
import type { CallNode } from "../../language/model.ts";
import type { RunEvent } from "./entry.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";
import { requestOf } from "./steps/call.ts";

/** An attempt of a task. */
export interface AttemptView {
  readonly frame: number;
  readonly attempt: number;
  readonly handler: string;
  readonly path: string;
  /** When it was scheduled, milliseconds since the epoch. */
  readonly createdAtMs: number;
}

/** Something to do after a commit. */
export type Effect =
  /** Have an attempt executed. */
  | { readonly kind: "dispatch"; readonly call: AttemptView; readonly input: string }
  /** An attempt is not wanted any more. */
  | { readonly kind: "abandon"; readonly frame: number; readonly attempt: number }
  /** An attempt ended (for the task ledger). */
  | {
      readonly kind: "attemptOver";
      readonly call: AttemptView;
      readonly status: "completed" | "failed" | "cancelled";
      readonly errorMessage: string | undefined;
    }
  | { readonly kind: "setTimer"; readonly timer: number; readonly dueAtMs: number }
  | { readonly kind: "clearTimer"; readonly timer: number; readonly dueAtMs: number }
  /** The run is there. */
  | { readonly kind: "started" }
  /** The run ended; its outcome is in the state. */
  | { readonly kind: "ended" };

/** The effects of a fact, given the state before it. */
export function effectsOf(state: RunState, event: RunEvent): Effect[] {
  switch (event.$case) {
    case "runStarted":
      return [{ kind: "started" }];
    case "timerSet":
      return [{ kind: "setTimer", timer: event.value.timer, dueAtMs: timeOf(state.runId) + event.value.dueOffsetMs }];
    case "timerFired":
      return clearTimers(state, [event.value.timer]);
    case "attemptCompleted":
      return attemptOver(state, event.value.frame, "completed");
    case "attemptFailed":
      return attemptOver(state, event.value.frame, "failed", event.value.error?.detail);
    case "taskCompleted":
      return leave(state, event.value.frame, "completed");
    case "taskFaulted":
    case "taskCancelled":
      return leave(state, event.value.frame, "cancelled");
    case "compensationStarted":
      return abandonAll(state);
    case "runEnded":
      return [...abandonAll(state), { kind: "ended" }];
    default:
      return [];
  }
}

/** The attempt that a frame has in flight, to be executed now: after its commit, or after the run was loaded. */
export function dispatchOf(frame: Frame): Effect {
  return { kind: "dispatch", call: attemptView(frame), input: requestOf(frame, frame.node as CallNode) };
}

/** Everything that must be under way for a run that was just loaded. */
export function effectsOfLoading(state: RunState): Effect[] {
  const effects: Effect[] = [];
  for (const frame of state.frames.values()) if (frame.inFlight) effects.push(dispatchOf(frame));
  for (const timer of state.timers.values()) effects.push({ kind: "setTimer", timer: timer.id, dueAtMs: timer.dueAtMs });
  return effects;
}

function leave(state: RunState, id: number, status: "completed" | "cancelled"): Effect[] {
  const frame = state.frames.get(id);
  if (frame === undefined) return [];
  return [...endAttempt(frame, status), ...clearTimers(state, frame.timers)];
}

function attemptView(frame: Frame): AttemptView {
  return { frame: frame.id, attempt: frame.attempt, handler: (frame.node as CallNode).handler, path: pathOf(frame), createdAtMs: frame.attemptAtMs };
}

function attemptOver(state: RunState, id: number, status: "completed" | "failed", errorMessage?: string): Effect[] {
  const frame = state.frames.get(id);
  return frame === undefined ? [] : [{ kind: "attemptOver", call: attemptView(frame), status, errorMessage }];
}

function endAttempt(frame: Frame, status: "completed" | "cancelled"): Effect[] {
  if (!frame.inFlight) return [];
  const over: Effect = { kind: "attemptOver", call: attemptView(frame), status, errorMessage: undefined };
  return status === "completed" ? [over] : [over, { kind: "abandon", frame: frame.id, attempt: frame.attempt }];
}

function clearTimers(state: RunState, ids: readonly number[]): Effect[] {
  return ids.flatMap((id) => {
    const timer = state.timers.get(id);
    return timer === undefined ? [] : [{ kind: "clearTimer", timer: id, dueAtMs: timer.dueAtMs } satisfies Effect];
  });
}

function abandonAll(state: RunState): Effect[] {
  const effects: Effect[] = [];
  for (const frame of state.frames.values()) if (frame.inFlight) effects.push(...endAttempt(frame, "cancelled"));
  for (const timer of state.timers.values()) effects.push({ kind: "clearTimer", timer: timer.id, dueAtMs: timer.dueAtMs });
  return effects;
}
