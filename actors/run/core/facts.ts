/**
 * Facts in short: makers of the events that several steps write.
 */
import type { Payload } from "../../json.ts";
import { parseDuration } from "../../language/duration.ts";
import type { Template } from "../../language/expression.ts";
import type { Problem } from "../../language/problem.ts";
import { evaluate, exportTo, transformOut } from "./data-flow.ts";
import { problemToWire, type RunEvent, statusToWire, type TimerKind } from "./entry.ts";
import type { Environment } from "./environment.ts";
import { refusalByFork } from "./fork-output.ts";
import { DataFault } from "./problems.ts";
import { type TaskView, viewOf } from "./scope.ts";
import type { Frame, RunState } from "./state.ts";

/** What else a completion says. */
export interface CompletionDetail {
  readonly matchedCase?: number;
  readonly consumedSignal?: boolean;
}

/**
 * A task completes with a raw output. `raw` undefined: it is what the frame holds already.
 *
 * @throws DataFault, ExpressionFault, EvaluationPending from its `output` and `export`.
 */
export function completed(
  state: RunState,
  environment: Environment,
  frame: Frame,
  raw: Payload | undefined,
  detail: CompletionDetail = {},
): RunEvent {
  const result = raw ?? frame.data;
  const view = viewOf(frame);
  const output = transformOut(state, environment, view, frame.node.output, result);
  const reason = refusalByFork(frame.parent, output ?? result);
  if (reason !== undefined) throw new DataFault(reason);
  const context = exportTo(state, environment, view, frame.node, output ?? result);
  const written = output ?? (detail.consumedSignal === true ? undefined : raw);
  return {
    $case: "taskCompleted",
    value: {
      frame: frame.id,
      output: written?.text,
      context: context?.text,
      matchedCase: detail.matchedCase ?? 0,
      skipped: false,
      consumedSignal: detail.consumedSignal ?? false,
    },
  };
}

/** A task ends in an error. Everything below it must have ended. */
export function faulted(frame: number, error: Problem): RunEvent {
  return { $case: "taskFaulted", value: { frame, error: problemToWire(error) } };
}

/** A task and everything below it is abandoned: the innermost first. */
function cancelledTree(frame: Frame): RunEvent[] {
  return [...cancelledChildren(frame), { $case: "taskCancelled", value: { frame: frame.id } }];
}

/** Everything below a task is abandoned. */
export function cancelledChildren(frame: Frame): RunEvent[] {
  return frame.children.flatMap(cancelledTree);
}

/** A timer is set for a frame. `nth` counts the timers that one step sets. */
export function timerSet(state: RunState, frame: number, kind: TimerKind, dueAtMs: number, nth = 1): RunEvent {
  const dueOffsetMs = offsetOf(state, dueAtMs);
  return { $case: "timerSet", value: { timer: state.lastTimer + nth, frame, kind, dueOffsetMs } };
}

/** A time as entries hold it. Never less than 0: the clock of this node may be behind the one by which the run was created. */
export function offsetOf(state: RunState, atMs: number): number {
  return Math.max(0, Math.ceil(atMs) - state.createdAtMs);
}

/** The run fails: at once, or after the tasks that it has to undo. */
export function failed(state: RunState, error: Problem): RunEvent {
  if (state.undo.length > 0) return { $case: "compensationStarted", value: { outcome: statusToWire("failed"), error: problemToWire(error) } };
  return ended("failed", undefined, error);
}

/** The run ends. */
export function ended(
  status: "completed" | "failed" | "cancelled" | "terminated",
  output: Payload | undefined,
  error: Problem | undefined,
): RunEvent {
  return {
    $case: "runEnded",
    value: { status: statusToWire(status), output: output?.text, error: error === undefined ? undefined : problemToWire(error) },
  };
}

/** The duration that a template gives, in milliseconds. @throws DurationFault if it gives none. */
export function durationOf(template: Template, state: RunState, environment: Environment, view: TaskView): number {
  return parseDuration(evaluate(template, state, environment, view, view.input ?? view.raw).value);
}
