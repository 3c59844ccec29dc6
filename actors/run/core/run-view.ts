/**
 * A run as it shows itself to the outside. Pure.
 */
import { timeOf } from "../../../runtime/ids.ts";
import type { RunHead } from "../../../runtime/storage/journal.ts";
import type { ActiveTask, RunView } from "../../runs.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";

/** Tasks shown of a run at most; a fork may have many more under way. */
const ACTIVE_TASKS_SHOWN = 100;

/** The run as it is now. `head`: what its row says. */
export function viewOfRun(state: RunState, head: RunHead): RunView {
  const { runId, workflowId, userId, labels, input, output, error, lastSeq } = state;
  const { status, wake, errorMessage, endedAtMs } = head;
  return {
    ...{ runId, workflowId, userId, labels, status, wake, error, lastSeq },
    ...(errorMessage !== undefined && { errorMessage }),
    ...(endedAtMs !== undefined && { endedAtMs }),
    createdAtMs: timeOf(runId),
    input: input.text,
    output: output?.text,
    activeTasks: activeTasks(state),
  };
}

function activeTasks(state: RunState): readonly ActiveTask[] {
  const tasks: ActiveTask[] = [];
  for (const frame of state.frames.values()) {
    if (tasks.length === ACTIVE_TASKS_SHOWN) break;
    if (frame.children.length === 0) tasks.push(activeTask(frame));
  }
  return tasks;
}

function activeTask(frame: Frame): ActiveTask {
  return { path: pathOf(frame), name: frame.node.name, kind: frame.node.kind, attempt: frame.attempt, startedAtMs: frame.startedAtMs };
}
