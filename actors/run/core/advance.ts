/**
 * What a run does next by itself: `advance` looks at one frame that has something to do and answers the facts of its next step. It changes
 * nothing; `evolve` does.
 */
import { invariant, unreachable } from "../../../runtime/assert.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { bytesAbove } from "../../../runtime/workers/bounded-text.ts";
import { transformOut } from "./data-flow.ts";
import { type RunEvent, TimerKind } from "./entry.ts";
import type { Environment } from "./environment.ts";
import { cancelledChildren, completed, durationOf, ended, failed, faulted, timerSet } from "./facts.ts";
import { DataFault, problemOfFault } from "./problems.ts";
import { viewOf } from "./scope.ts";
import type { Frame, RunState } from "./state.ts";
import { beginCall, retryCall } from "./steps/call.ts";
import { beginFor, finishFork, nextInDo, nextInFor, nextInFork, passFault } from "./steps/composite.ts";
import { beginRaise, beginSet, beginSignal, beginSwitch, beginWait, consumeSignal } from "./steps/simple.ts";
import { started } from "./steps/start.ts";
import { faultInTry, nextInTry } from "./steps/try.ts";

/** The facts of a frame's next step. @throws EvaluationPending */
export function advance(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  try {
    return step(state, environment, frame);
  } catch (error) {
    const problem = problemOfFault(error, frame.node.pointer);
    if (problem === undefined) throw error;
    return [...cancelledChildren(frame), faulted(frame.id, problem)];
  }
}

/** The facts of what the run as a whole does next when no frame has anything to do: its start, an undoing, its end. @throws EvaluationPending */
export function advanceRun(state: RunState, environment: Environment): RunEvent[] {
  if (state.status !== "running") return [];
  if (state.ending !== undefined) return end(state, environment);
  if (state.frames.size > 0) return [];
  if (state.undoing !== undefined) return undoNext(state, environment);
  if (state.error !== undefined) return [failed(state, state.error)];
  return state.lastFrame === 0 && state.lastSeq > 0 ? started(state, environment, undefined, state.workflow.root) : [];
}

function step(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  switch (frame.phase) {
    case "begin":
      return begin(state, environment, frame);
    case "next":
      return next(state, environment, frame);
    case "finish":
      return frame.node.kind === "fork" ? finishFork(state, environment, frame) : [completed(state, environment, frame, undefined)];
    case "fault":
      return frame.node.kind === "try" ? faultInTry(state, environment, frame, frame.node) : passFault(frame);
    case "waiting":
      return [];
    default:
      unreachable(frame.phase);
  }
}

function begin(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  const timeout = frame.node === state.workflow.root ? state.workflow.timeout : frame.node.timeout;
  if (timeout === undefined) return beginWork(state, environment, frame, 0);
  const dueAtMs = environment.nowMs + durationOf(timeout, state, environment, viewOf(frame));
  return [timerSet(state, frame.id, TimerKind.TIMEOUT, dueAtMs), ...beginWork(state, environment, frame, 1)];
}

function beginWork(state: RunState, environment: Environment, frame: Frame, timersBefore: number): RunEvent[] {
  const { node } = frame;
  switch (node.kind) {
    case "call":
    case "run":
      return beginCall(state, environment, frame, node);
    case "set":
      return beginSet(state, environment, frame, node);
    case "switch":
      return beginSwitch(state, environment, frame, node);
    case "raise":
      return beginRaise(state, environment, frame, node);
    case "wait":
      return beginWait(state, environment, frame, node, timersBefore);
    case "signal":
      return beginSignal(state, environment, frame, node);
    case "for":
      return beginFor(state, environment, frame, node);
    case "do":
    case "fork":
    case "try":
      return next(state, environment, frame);
    default:
      unreachable(node);
  }
}

function next(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  const { node } = frame;
  switch (node.kind) {
    case "do":
      return nextInDo(state, environment, frame, node);
    case "for":
      return nextInFor(state, environment, frame, node);
    case "fork":
      return nextInFork(state, environment, frame, node);
    case "try":
      return nextInTry(state, environment, frame, node);
    case "signal":
      return consumeSignal(state, environment, frame);
    case "call":
    case "run":
      return retryCall(frame);
    default:
      invariant(false, `a ${node.kind} has no next step`);
  }
}

function undoNext(state: RunState, environment: Environment): RunEvent[] {
  const { undoing } = state;
  invariant(undoing !== undefined, "the run undoes its tasks");
  const last = state.undo.at(-1);
  if (last !== undefined) return started(state, environment, undefined, last.body);
  const { error } = undoing;
  const [first] = state.undoErrors;
  if (first === undefined) return [ended(undoing.status, undefined, error)];
  const note = `${state.undoErrors.length} compensation(s) failed, the first at ${first.instance ?? "?"}: ${first.detail ?? first.title ?? first.type}`;
  return [ended("failed", undefined, error === undefined ? first : { ...error, detail: `${error.detail ?? ""} (${note})`.trim() })];
}

function end(state: RunState, environment: Environment): RunEvent[] {
  const { root } = state.workflow;
  invariant(state.ending !== undefined, "the run is about to end");
  const view = { node: root, frame: undefined, raw: state.input, input: undefined, output: undefined, startedAtMs: state.startedAtMs };
  try {
    const output = transformOut(state, environment, view, state.workflow.output, state.ending);
    const bytes = bytesAbove((output ?? state.ending).text, LIMITS.payloadBytes);
    if (bytes > 0)
      throw new DataFault(`the output of the run has ${bytes} bytes; at most ${LIMITS.payloadBytes} are taken: reduce it with \`output.as\``);
    return [ended("completed", output, undefined)];
  } catch (error) {
    const problem = problemOfFault(error, root.pointer);
    if (problem === undefined) throw error;
    return [failed(state, problem)];
  }
}
