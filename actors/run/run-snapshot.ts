/**
 * What a run shows of itself. Pure.
 */
import type { ActiveTask } from "../runs.ts";
import type { RunSnapshot } from "./run-message.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";

/** Tasks shown of a run at most; a fork may have many more under way. */
const ACTIVE_TASKS_SHOWN = 100;

/** The run as it is now. */
export function snapshotOf(state: RunState): RunSnapshot {
  const activeTasks: ActiveTask[] = [];
  for (const frame of state.frames.values()) {
    if (activeTasks.length === ACTIVE_TASKS_SHOWN) break;
    if (frame.children.length === 0) activeTasks.push(activeTask(frame));
  }
  const { input, output, error, lastSeq, status } = state;
  return { input: input.text, output: output?.text, error, activeTasks, lastSeq, hasEnded: status !== "running" };
}

function activeTask(frame: Frame): ActiveTask {
  return { path: pathOf(frame), name: frame.node.name, kind: frame.node.kind, attempt: frame.attempt, startedAtMs: frame.startedAtMs };
}
