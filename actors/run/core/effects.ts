/**
 * What is to be done about a fact once it is committed: plain data, carried out by the actor. Computed before the fact is folded in, because the
 * frames that it ends are still there then.
 */
import type { Isolation } from "../../../runtime/workers/pool.ts";
import type { DocumentScheduling } from "../../../runtime/workers/scheduling.ts";
import type { CallNode } from "../../language/model.ts";
import type { RunEvent } from "./entry.ts";
import { hasWaited, isolationOf, widthOf } from "./node-loss.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";
import { requestOf, schedulingOf } from "./steps/call.ts";

/** An attempt of a task. */
export interface AttemptView {
  readonly frame: number;
  readonly attempt: number;
  readonly handler: string;
  readonly path: string;
  /** When it was scheduled, milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Where its document has it wait; undefined: what the handler declares holds. */
  readonly scheduling?: DocumentScheduling | undefined;
}

/** Something to do after a commit. */
export type Effect =
  /** Have an attempt executed. */
  | { readonly kind: "dispatch"; readonly call: AttemptView; readonly input: string; readonly isolation: Isolation }
  /** An attempt waits for its turn to be executed beside at most `width - 1` other suspects of lost nodes. */
  | { readonly kind: "awaitTurn"; readonly call: AttemptView; readonly width: number }
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

/** Adds the effects of a fact to `effects`, given the state before it. */
export function addEffectsOf(state: RunState, event: RunEvent, effects: Effect[]): void {
  switch (event.$case) {
    case "runStarted":
      effects.push({ kind: "started" });
      break;
    case "timerSet":
      effects.push({ kind: "setTimer", timer: event.value.timer, dueAtMs: state.createdAtMs + event.value.dueOffsetMs });
      break;
    case "timerFired":
      addClearTimers(state, [event.value.timer], effects);
      break;
    case "attemptCompleted":
      addAttemptOver(state, event.value.frame, "completed", undefined, effects);
      break;
    case "attemptFailed":
      addAttemptOver(state, event.value.frame, "failed", event.value.error?.detail, effects);
      break;
    case "taskCompleted":
      addLeaving(state, event.value.frame, "completed", effects);
      break;
    case "taskFaulted":
    case "taskCancelled":
      addLeaving(state, event.value.frame, "cancelled", effects);
      break;
    case "compensationStarted":
      addAbandonAll(state, effects);
      break;
    case "runEnded":
      addAbandonAll(state, effects);
      effects.push({ kind: "ended" });
      break;
  }
}

/**
 * The attempt that a frame has in flight, to be executed: after its commit, or after the run was loaded. A suspect of several losses waits for its
 * turn first.
 */
export function dispatchOf(state: RunState, frame: Frame): Effect {
  const width = widthOf(state, frame);
  if (width === Number.POSITIVE_INFINITY) return dispatchInTurn(state, frame);
  return { kind: "awaitTurn", call: attemptView(frame), width };
}

/** The attempt that a frame has in flight, whose turn has come. */
export function dispatchInTurn(state: RunState, frame: Frame): Effect {
  const input = requestOf(frame, frame.node as CallNode);
  return { kind: "dispatch", call: attemptView(frame), input, isolation: isolationOf(state, frame) };
}

/**
 * Everything that must be under way for a run that was just loaded. `waiting`: its attempts went down with their node, which the run is to be told
 * first; but for those of these frames, which had not begun.
 */
export function effectsOfLoading(state: RunState, waiting?: ReadonlySet<number>): Effect[] {
  const effects: Effect[] = [];
  const isReady = (frame: Frame): boolean => waiting === undefined || waiting.has(frame.id) || hasWaited(state, frame);
  for (const frame of state.frames.values()) if (frame.inFlight && isReady(frame)) effects.push(dispatchOf(state, frame));
  for (const timer of state.timers.values()) effects.push({ kind: "setTimer", timer: timer.id, dueAtMs: timer.dueAtMs });
  return effects;
}

function attemptView(frame: Frame): AttemptView {
  const { id, attempt, attemptAtMs, node } = frame;
  return { frame: id, attempt, handler: (node as CallNode).handler, path: pathOf(frame), createdAtMs: attemptAtMs, scheduling: schedulingOf(frame) };
}

function addLeaving(state: RunState, id: number, status: "completed" | "cancelled", effects: Effect[]): void {
  const frame = state.frames.get(id);
  if (frame === undefined) return;
  addAttemptEnd(frame, status, effects);
  addClearTimers(state, frame.timers, effects);
}

function addAttemptOver(state: RunState, id: number, status: "completed" | "failed", errorMessage: string | undefined, effects: Effect[]): void {
  const frame = state.frames.get(id);
  if (frame !== undefined) effects.push({ kind: "attemptOver", call: attemptView(frame), status, errorMessage });
}

function addAttemptEnd(frame: Frame, status: "completed" | "cancelled", effects: Effect[]): void {
  if (!frame.inFlight) return;
  effects.push({ kind: "attemptOver", call: attemptView(frame), status, errorMessage: undefined });
  if (status === "cancelled") effects.push({ kind: "abandon", frame: frame.id, attempt: frame.attempt });
}

function addClearTimers(state: RunState, ids: readonly number[], effects: Effect[]): void {
  for (const id of ids) {
    const timer = state.timers.get(id);
    if (timer !== undefined) effects.push({ kind: "clearTimer", timer: id, dueAtMs: timer.dueAtMs });
  }
}

function addAbandonAll(state: RunState, effects: Effect[]): void {
  if (state.inFlight > 0) for (const frame of state.frames.values()) addAttemptEnd(frame, "cancelled", effects);
  if (state.timers.size > 0) for (const timer of state.timers.values()) effects.push({ kind: "clearTimer", timer: timer.id, dueAtMs: timer.dueAtMs });
}
