/**
 * What facts about timers change.
 */
import { invariant } from "../../../runtime/assert.ts";
import { TimerKind } from "./entry.ts";
import { type RunState, setPhase } from "./state.ts";

/** A timer was set for a frame. */
export function setTimer(state: RunState, timer: { timer: number; frame: number; kind: TimerKind; dueOffsetMs: number }): void {
  const frame = state.frames.get(timer.frame);
  invariant(frame !== undefined, `frame ${timer.frame} is under way`);
  state.timers.set(timer.timer, { id: timer.timer, frame, kind: timer.kind, dueAtMs: state.createdAtMs + timer.dueOffsetMs });
  state.lastTimer = timer.timer;
  frame.timers.push(timer.timer);
  if (timer.kind !== TimerKind.TIMEOUT) setPhase(state, frame, "waiting");
}

/** A timer fired: the frame that waited for it goes on. */
export function fireTimer(state: RunState, id: number): void {
  const timer = state.timers.get(id);
  invariant(timer !== undefined, `timer ${id} is set`);
  state.timers.delete(id);
  const { frame } = timer;
  frame.timers.splice(frame.timers.indexOf(id), 1);
  if (timer.kind === TimerKind.WAIT) setPhase(state, frame, "finish");
  if (timer.kind === TimerKind.RETRY) setPhase(state, frame, "next");
}
