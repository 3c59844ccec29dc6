/**
 * What a fact changes: `evolve(state, entry)` is the fold that makes a run's state out of its history. It evaluates no expressions, reads no clock
 * and decides nothing, so that a history means the same for ever.
 *
 * It changes the state it is given; its owner hands it in.
 */
import { invariant } from "../../../runtime/assert.ts";
import { Payload } from "../../json.ts";
import { type Entry, problemFromWire, type RunEvent } from "./entry.ts";
import { endRun, startUndoing } from "./evolve-end.ts";
import { completeAttempt, completeFrame, endAttempt, frameOf, interruptAttempt, removeFrame, scheduleAttempt } from "./evolve-frame.ts";
import { childFaulted } from "./evolve-parent.ts";
import { awaitSignal, receiveSignal } from "./evolve-signal.ts";
import { startFrame } from "./evolve-start.ts";
import { fireTimer, setTimer } from "./evolve-timer.ts";
import { type RunState, setPhase } from "./state.ts";

type Case = RunEvent["$case"];
type ValueOf<C extends Case> = Extract<RunEvent, { $case: C }>["value"];

/** Folds one entry into the state. @throws InvariantBroken if the entry can't follow what came before. */
export function evolve(state: RunState, entry: Entry): void {
  const { event } = entry;
  invariant(event !== undefined, "an entry has an event");
  state.lastSeq += 1;
  if (entry.readsFrom !== undefined) state.readsFrom = Math.max(state.readsFrom, entry.readsFrom);
  const fold = FOLDS[event.$case] as (state: RunState, value: RunEvent["value"], atMs: number) => void;
  fold(state, event.value, state.createdAtMs + entry.offsetMs);
}

/** What each kind of fact changes. */
const FOLDS: { readonly [C in Case]: (state: RunState, value: ValueOf<C>, atMs: number) => void } = {
  runStarted(state, started, atMs) {
    state.startedAtMs = atMs;
    state.input = Payload.ofText(started.input);
    state.traceParent = started.traceParent;
    state.userId = started.userId;
    state.labels = started.labels;
  },
  taskStarted: startFrame,
  loopStarted(state, started) {
    const frame = frameOf(state, started.frame);
    frame.items = Payload.ofText(started.items);
    setPhase(state, frame, "next");
  },
  attemptScheduled: scheduleAttempt,
  attemptCompleted(state, completed) {
    const frame = frameOf(state, completed.frame);
    completeAttempt(state, frame);
    frame.data = Payload.ofText(completed.output);
    setPhase(state, frame, "finish");
  },
  attemptFailed: (state, failed) => endAttempt(state, frameOf(state, failed.frame)),
  attemptInterrupted: (state, interrupted) => interruptAttempt(state, interrupted.frame),
  attemptIsolated(state, isolated) {
    frameOf(state, isolated.frame).isIsolated = true;
  },
  taskCompleted: completeFrame,
  taskFaulted(state, faulted, atMs) {
    const error = problemFromWire(faulted.error);
    invariant(error !== undefined, "a fault has an error");
    childFaulted(state, removeFrame(state, faulted.frame), error, atMs);
  },
  taskCancelled: (state, cancelled) => void removeFrame(state, cancelled.frame),
  timerSet: setTimer,
  timerFired: (state, fired) => fireTimer(state, fired.timer),
  signalReceived: receiveSignal,
  signalAwaited: (state, awaited) => awaitSignal(state, frameOf(state, awaited.frame), awaited.name),
  errorCaught(state, caught) {
    const frame = frameOf(state, caught.frame);
    frame.caught = true;
    frame.error = problemFromWire(caught.error);
    frame.data = frame.input;
    setPhase(state, frame, "next");
  },
  tryRetried(state, retried) {
    const frame = frameOf(state, retried.frame);
    frame.attempt = retried.attempt;
    frame.error = undefined;
    setPhase(state, frame, retried.retryOffsetMs === undefined ? "next" : "waiting");
  },
  cancelRequested(state, requested) {
    state.cancelReason = requested.reason;
  },
  compensationStarted: startUndoing,
  runEnded: endRun,
};
