/**
 * What a fact changes: `evolve(state, event)` is the fold that makes a run's state out of its history. It evaluates no expressions, reads no clock
 * and decides nothing, so that a history means the same for ever.
 *
 * It changes the state it is given; its owner hands it in.
 */
import { invariant, unreachable } from "../../runtime/assert.ts";
import { timeOf } from "../../runtime/ids.ts";
import { Payload } from "../json.ts";
import { type Entry, problemFromWire, type RunEvent, statusFromWire, TimerKind } from "./entry.ts";
import { childCompleted, childFaulted } from "./evolve-parent.ts";
import { startFrame } from "./evolve-start.ts";
import { contextHolder, type Frame, type LiveStatus, type RunState, setPhase } from "./state.ts";

/** Folds one entry into the state. @throws InvariantBroken if the entry can't follow what came before. */
export function evolve(state: RunState, entry: Entry): void {
  invariant(entry.event !== undefined, "an entry has an event");
  state.lastSeq += 1;
  apply(state, entry.event, timeOf(state.runId) + entry.offsetMs);
}

function apply(state: RunState, event: RunEvent, atMs: number): void {
  switch (event.$case) {
    case "runStarted":
      state.startedAtMs = atMs;
      state.input = Payload.ofText(event.value.input);
      state.traceParent = event.value.traceParent;
      return;
    case "taskStarted":
      return startFrame(state, event.value, atMs);
    case "loopStarted": {
      const frame = frameOf(state, event.value.frame);
      frame.items = Payload.ofText(event.value.items).value as Frame["items"];
      return setPhase(state, frame, "next");
    }
    case "attemptScheduled":
      return scheduleAttempt(state, event.value, atMs);
    case "attemptCompleted": {
      const frame = frameOf(state, event.value.frame);
      endAttempt(state, frame);
      frame.data = Payload.ofText(event.value.output);
      return setPhase(state, frame, "finish");
    }
    case "attemptFailed":
      return endAttempt(state, frameOf(state, event.value.frame));
    case "taskCompleted":
      return completeFrame(state, event.value);
    case "taskFaulted": {
      const frame = removeFrame(state, event.value.frame);
      const error = problemFromWire(event.value.error);
      invariant(error !== undefined, "a fault has an error");
      return childFaulted(state, frame, error, atMs);
    }
    case "taskCancelled":
      removeFrame(state, event.value.frame);
      return;
    case "timerSet":
      return setTimer(state, event.value);
    case "timerFired":
      return fireTimer(state, event.value.timer);
    case "signalReceived":
      return receiveSignal(state, event.value.name, Payload.ofText(event.value.payload), event.value.signalId);
    case "signalAwaited": {
      const frame = frameOf(state, event.value.frame);
      frame.awaits = event.value.name;
      state.awaiting += 1;
      return setPhase(state, frame, state.signals.has(event.value.name) ? "next" : "waiting");
    }
    case "errorCaught": {
      const frame = frameOf(state, event.value.frame);
      frame.caught = true;
      frame.error = problemFromWire(event.value.error);
      frame.data = frame.input;
      return setPhase(state, frame, "next");
    }
    case "tryRetried": {
      const frame = frameOf(state, event.value.frame);
      frame.attempt = event.value.attempt;
      frame.error = undefined;
      return setPhase(state, frame, event.value.retryOffsetMs === undefined ? "next" : "waiting");
    }
    case "cancelRequested":
      state.cancelReason = event.value.reason;
      return;
    case "compensationStarted": {
      const status = statusFromWire(event.value.outcome) === "cancelled" ? "cancelled" : "failed";
      state.undoing = { status, error: problemFromWire(event.value.error) };
      return abandonAll(state);
    }
    case "runEnded":
      return endRun(state, statusFromWire(event.value.status) as LiveStatus, event.value);
    default:
      unreachable(event);
  }
}

function frameOf(state: RunState, id: number): Frame {
  const frame = state.frames.get(id);
  invariant(frame !== undefined, `frame ${id} is under way`);
  return frame;
}

function scheduleAttempt(state: RunState, scheduled: { frame: number; attempt: number; request?: string | undefined }, atMs: number): void {
  const frame = frameOf(state, scheduled.frame);
  frame.attempt = scheduled.attempt;
  frame.attemptAtMs = atMs;
  frame.inFlight = true;
  state.inFlight += 1;
  if (scheduled.request !== undefined) frame.request = Payload.ofText(scheduled.request);
  setPhase(state, frame, "waiting");
}

function endAttempt(state: RunState, frame: Frame): void {
  if (!frame.inFlight) return;
  frame.inFlight = false;
  state.inFlight -= 1;
}

interface Completion {
  readonly frame: number;
  readonly output?: string | undefined;
  readonly context?: string | undefined;
  readonly matchedCase: number;
  readonly skipped: boolean;
  readonly consumedSignal: boolean;
}

function completeFrame(state: RunState, completion: Completion): void {
  const frame = frameOf(state, completion.frame);
  if (completion.consumedSignal) frame.data = takeSignal(state, frame);
  if (completion.skipped) frame.data = frame.raw;
  if (completion.output !== undefined) frame.data = Payload.ofText(completion.output);
  if (completion.context !== undefined) exportContext(state, frame, Payload.ofText(completion.context));
  removeFrame(state, frame.id);
  const { compensation } = frame.node;
  if (compensation !== undefined && !completion.skipped) {
    state.undo.push({ body: compensation, input: Payload.ofText(`{"input":${frame.input.text},"output":${frame.data.text}}`) });
  }
  childCompleted(state, frame, completion.matchedCase, completion.skipped);
}

function exportContext(state: RunState, frame: Frame, context: Payload): void {
  const holder = contextHolder(frame);
  if (holder === undefined) state.context = context;
  else holder.context = context;
}

function removeFrame(state: RunState, id: number): Frame {
  const frame = frameOf(state, id);
  invariant(frame.children.length === 0, `frame ${id} ends after its children`);
  endAttempt(state, frame);
  if (frame.awaits !== undefined) state.awaiting -= 1;
  for (const timer of frame.timers) state.timers.delete(timer);
  state.frames.delete(id);
  state.ready.delete(frame);
  if (frame.parent !== undefined) frame.parent.children.splice(frame.parent.children.indexOf(frame), 1);
  return frame;
}

function setTimer(state: RunState, timer: { timer: number; frame: number; kind: TimerKind; dueOffsetMs: number }): void {
  const frame = frameOf(state, timer.frame);
  state.timers.set(timer.timer, { id: timer.timer, frame, kind: timer.kind, dueAtMs: timeOf(state.runId) + timer.dueOffsetMs });
  state.lastTimer = timer.timer;
  frame.timers.push(timer.timer);
  if (timer.kind !== TimerKind.TIMEOUT) setPhase(state, frame, "waiting");
}

function fireTimer(state: RunState, id: number): void {
  const timer = state.timers.get(id);
  invariant(timer !== undefined, `timer ${id} is set`);
  state.timers.delete(id);
  const { frame } = timer;
  frame.timers.splice(frame.timers.indexOf(id), 1);
  if (timer.kind === TimerKind.WAIT) setPhase(state, frame, "finish");
  if (timer.kind === TimerKind.RETRY) setPhase(state, frame, "next");
}

function receiveSignal(state: RunState, name: string, payload: Payload, signalId: string): void {
  const queue = state.signals.get(name);
  if (queue === undefined) state.signals.set(name, [payload]);
  else queue.push(payload);
  state.signalCount += 1;
  if (signalId !== "") state.signalIds.add(signalId);
  if (state.awaiting === 0) return;
  for (const frame of state.frames.values()) {
    if (frame.awaits === name && frame.phase === "waiting") return setPhase(state, frame, "next");
  }
}

function takeSignal(state: RunState, frame: Frame): Payload {
  const name = frame.awaits ?? "";
  const queue = state.signals.get(name);
  const payload = queue?.shift();
  invariant(queue !== undefined && payload !== undefined, `a signal ${name} is there to be consumed`);
  if (queue.length === 0) state.signals.delete(name);
  state.signalCount -= 1;
  return payload;
}

function endRun(state: RunState, status: LiveStatus, end: { output?: string | undefined; error?: Parameters<typeof problemFromWire>[0] }): void {
  state.status = status;
  if (status === "completed") state.output = end.output === undefined ? state.ending : Payload.ofText(end.output);
  state.error = problemFromWire(end.error);
  abandonAll(state);
}

function abandonAll(state: RunState): void {
  state.ending = undefined;
  state.frames.clear();
  state.ready.clear();
  state.timers.clear();
  state.inFlight = 0;
  state.awaiting = 0;
}
