/**
 * The start of a task: its `if`, its input, and the fact that it began.
 */
import { LIMITS } from "../../../../runtime/limits.ts";
import type { Payload } from "../../../json.ts";
import type { TaskNode } from "../../../language/model.ts";
import { standardProblem } from "../../../language/problem.ts";
import { isTruthy, transformIn } from "../data-flow.ts";
import type { RunEvent } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { rawInput } from "../evolve-start.ts";
import { faulted } from "../facts.ts";
import { refusalByFork } from "../fork-output.ts";
import { DataFault, problemOfFault } from "../problems.ts";
import { TaskScope, type TaskView } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";

/** The facts with which a task begins, is skipped, or fails before it could do anything. @throws EvaluationPending */
export function started(state: RunState, environment: Environment, parent: Frame | undefined, node: TaskNode): RunEvent[] {
  const frame = state.lastFrame + 1;
  const begin = (input?: string): RunEvent => ({ $case: "taskStarted", value: { frame, parent: parent?.id ?? 0, node: node.id, input } });
  const reason = refusal(state, node);
  if (reason !== undefined) return [begin(), faulted(frame, standardProblem("runtime", reason, node.pointer))];
  const raw = rawInput(state, parent);
  const view: TaskView = { node, frame: parent, raw, input: undefined, output: undefined, startedAtMs: environment.nowMs };
  try {
    if (node.if !== undefined && !isTruthy(node.if.evaluate(new TaskScope(state, environment, view, raw))))
      return [begin(), skipped(frame, parent, raw)];
    const flow = node === state.workflow.root ? state.workflow.input : node.input;
    return [begin(transformIn(state, environment, view, flow)?.text)];
  } catch (error) {
    const problem = problemOfFault(error, node.pointer);
    if (problem === undefined) throw error;
    return [begin(), faulted(frame, problem)];
  }
}

/** Why the run can't begin the task, or undefined. A task that could not be undone must not be executed. */
function refusal(state: RunState, node: TaskNode): string | undefined {
  if (state.frames.size >= LIMITS.framesPerRun) return `the run has ${LIMITS.framesPerRun} tasks under way and takes no more`;
  if (node.compensation === undefined) return undefined;
  if (state.undo.length + state.undoable >= LIMITS.undoPerRun) {
    return `the run has ${LIMITS.undoPerRun} completed tasks to undo and takes no more: compensate groups of tasks (a \`do\`), or divide the run`;
  }
  if (state.undoChars < LIMITS.undoChars) return undefined;
  return `the tasks to undo have inputs and outputs of ${LIMITS.undoChars} characters: give tasks with a compensation less data, or divide the run`;
}

/** A task that does nothing has its input as its output. */
function skipped(frame: number, parent: Frame | undefined, raw: Payload): RunEvent {
  const reason = refusalByFork(parent, raw);
  if (reason !== undefined) throw new DataFault(reason);
  return { $case: "taskCompleted", value: { frame, output: undefined, context: undefined, matchedCase: 0, skipped: true, consumedSignal: false } };
}
