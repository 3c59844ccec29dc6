/**
 * The start of a task: its `if`, its input, and the fact that it began.
 */
import { LIMITS } from "../../../../runtime/limits.ts";
import type { TaskNode } from "../../../language/model.ts";
import { standardProblem } from "../../../language/problem.ts";
import { isTruthy, transformIn } from "../data-flow.ts";
import type { RunEvent } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { rawInput } from "../evolve-start.ts";
import { faulted } from "../facts.ts";
import { problemOfFault } from "../problems.ts";
import { TaskScope, type TaskView } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";

/** The facts with which a task begins, is skipped, or fails before it could do anything. @throws EvaluationPending */
export function started(state: RunState, environment: Environment, parent: Frame | undefined, node: TaskNode): RunEvent[] {
  const frame = state.lastFrame + 1;
  const begin = (input?: string): RunEvent => ({ $case: "taskStarted", value: { frame, parent: parent?.id ?? 0, node: node.id, input } });
  if (state.frames.size >= LIMITS.framesPerRun) {
    return [
      begin(),
      faulted(frame, standardProblem("runtime", `the run has ${LIMITS.framesPerRun} tasks under way and takes no more`, node.pointer)),
    ];
  }
  const raw = rawInput(state, parent);
  const view: TaskView = { node, frame: parent, raw, input: undefined, output: undefined, startedAtMs: environment.nowMs };
  try {
    if (node.if !== undefined && !isTruthy(node.if.evaluate(new TaskScope(state, environment, view, raw)))) return [begin(), skipped(frame)];
    const flow = node === state.workflow.root ? state.workflow.input : node.input;
    return [begin(transformIn(state, environment, view, flow)?.text)];
  } catch (error) {
    const problem = problemOfFault(error, node.pointer);
    if (problem === undefined) throw error;
    return [begin(), faulted(frame, problem)];
  }
}

function skipped(frame: number): RunEvent {
  return { $case: "taskCompleted", value: { frame, output: undefined, context: undefined, matchedCase: 0, skipped: true, consumedSignal: false } };
}
