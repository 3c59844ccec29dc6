/**
 * A run as it shows itself to the outside. Pure.
 */
import { timeOf } from "../../../runtime/ids.ts";
import type { RunHead } from "../../../runtime/storage/journal.ts";
import type { ActiveTask, RunView, TaskWait } from "../../runs.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";

/** Tasks shown of a run at most; a fork may have many more under way. */
const ACTIVE_TASKS_SHOWN = 100;

/** What the attempt of a task waits for. */
export type WaitOf = (frame: Frame) => TaskWait | undefined;

/** The run as it is now. `head`: what its row says. `waitOf`: as its owner knows it; it is stored nowhere. */
export function viewOfRun(state: RunState, head: RunHead, waitOf: WaitOf = () => undefined): RunView {
  const { runId, workflowId, userId, labels, input, output, error, lastSeq } = state;
  const { status, wake, errorMessage, endedAtMs } = head;
  return {
    ...{ runId, workflowId, userId, labels, status, wake, error, lastSeq },
    ...(errorMessage !== undefined && { errorMessage }),
    ...(endedAtMs !== undefined && { endedAtMs }),
    createdAtMs: timeOf(runId),
    input: input.text,
    output: output?.text,
    activeTasks: activeTasks(state, waitOf),
  };
}

function activeTasks(state: RunState, waitOf: WaitOf): readonly ActiveTask[] {
  const tasks: ActiveTask[] = [];
  for (const frame of state.frames.values()) {
    if (tasks.length === ACTIVE_TASKS_SHOWN) break;
    if (frame.children.length === 0) tasks.push(activeTask(frame, waitOf));
  }
  return tasks;
}

function activeTask(frame: Frame, waitOf: WaitOf): ActiveTask {
  const { node, attempt, startedAtMs } = frame;
  return { path: pathOf(frame), name: node.name, kind: node.kind, attempt, startedAtMs, waitsFor: waitOf(frame) };
}
