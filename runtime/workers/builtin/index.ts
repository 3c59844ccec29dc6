/**
 * The handlers that every worker thread has.
 */
import type { Clock } from "../../clock.ts";
import type { TaskDefinition } from "../define-task.ts";
import { httpTask } from "./http.ts";
import { shellTask } from "./shell.ts";

/** The built-in handlers of one thread. */
export function builtinTasks(clock: Clock): readonly TaskDefinition[] {
  return [httpTask(), shellTask(clock)];
}
