/**
 * What facts about one task change in its frame: its attempts, and its end.
 */
import { invariant } from "../../../runtime/assert.ts";
import { Payload } from "../../json.ts";
import { childCompleted } from "./evolve-parent.ts";
import { stopAwaiting, takeSignal } from "./evolve-signal.ts";
import { pushUndo } from "./evolve-undo.ts";
import { contextHolder, type Frame, type RunState, setPhase } from "./state.ts";

/** The frame of that number. @throws InvariantBroken if it is not under way. */
export function frameOf(state: RunState, id: number): Frame {
  const frame = state.frames.get(id);
  invariant(frame !== undefined, `frame ${id} is under way`);
  return frame;
}

/** An `AttemptScheduled` fact. */
export interface ScheduledAttempt {
  readonly frame: number;
  readonly attempt: number;
  readonly request?: string | undefined;
  readonly concurrencyKey?: string | undefined;
}

/** An attempt was scheduled. */
export function scheduleAttempt(state: RunState, scheduled: ScheduledAttempt, atMs: number): void {
  const frame = frameOf(state, scheduled.frame);
  frame.attempt = scheduled.attempt;
  frame.attemptAtMs = atMs;
  frame.inFlight = true;
  frame.isIsolated = false;
  state.inFlight += 1;
  if (scheduled.request !== undefined) frame.request = Payload.ofText(scheduled.request);
  if (scheduled.concurrencyKey !== undefined) frame.concurrencyKey = scheduled.concurrencyKey;
  setPhase(state, frame, "waiting");
}

/** The frame's attempt, if one is in flight, is over. */
export function endAttempt(state: RunState, frame: Frame): void {
  if (!frame.inFlight) return;
  frame.inFlight = false;
  state.inFlight -= 1;
}

/** The node was lost while the frame's attempt was under way. It is to be executed again, so that it still is. */
export function interruptAttempt(state: RunState, id: number): void {
  const frame = frameOf(state, id);
  const { count, isolated } = state.nodeLosses.get(frame.node.id) ?? { count: 0, isolated: 0 };
  state.nodeLosses.set(frame.node.id, { count: count + 1, isolated: frame.isIsolated ? isolated + 1 : isolated });
  frame.isIsolated = false;
}

/** The frame's attempt, if one is in flight, completed: its task is not what ends nodes. */
export function completeAttempt(state: RunState, frame: Frame): void {
  if (frame.inFlight) state.nodeLosses.delete(frame.node.id);
  endAttempt(state, frame);
}

/** A `TaskCompleted` fact. */
export interface Completion {
  readonly frame: number;
  readonly output?: string | undefined;
  readonly context?: string | undefined;
  readonly matchedCase: number;
  readonly skipped: boolean;
  readonly consumedSignal: boolean;
}

/** A task completed: its output flows on to the task around it. */
export function completeFrame(state: RunState, completion: Completion): void {
  const frame = frameOf(state, completion.frame);
  completeAttempt(state, frame);
  if (completion.consumedSignal) frame.data = takeSignal(state, frame);
  if (completion.skipped) frame.data = frame.raw;
  if (completion.output !== undefined) frame.data = Payload.ofText(completion.output);
  if (completion.context !== undefined) exportContext(state, frame, Payload.ofText(completion.context));
  removeFrame(state, frame.id);
  const { compensation } = frame.node;
  if (compensation !== undefined && !completion.skipped) {
    pushUndo(state, { body: compensation, input: Payload.ofText(`{"input":${frame.input.text},"output":${frame.data.text}}`) });
  }
  childCompleted(state, frame, completion.matchedCase, completion.skipped);
}

function exportContext(state: RunState, frame: Frame, context: Payload): void {
  const holder = contextHolder(frame);
  if (holder === undefined) state.context = context;
  else holder.context = context;
}

/** Takes a frame out of the tree, with its attempt and its timers. Its children must be gone. */
export function removeFrame(state: RunState, id: number): Frame {
  const frame = frameOf(state, id);
  invariant(frame.children.length === 0, `frame ${id} ends after its children`);
  endAttempt(state, frame);
  for (const timer of frame.timers) state.timers.delete(timer);
  state.frames.delete(id);
  if (frame.node.compensation !== undefined) state.undoable -= 1;
  state.ready.delete(frame);
  stopAwaiting(state, frame);
  if (frame.parent !== undefined) frame.parent.children.splice(frame.parent.children.indexOf(frame), 1);
  return frame;
}
