/**
 * The handlers that every worker thread has.
 */
import type { TaskDefinition } from "../define-task.ts";
import type { CommandPorts } from "./command.ts";
import { httpTask } from "./http.ts";
import { shellTask } from "./shell.ts";

/** The built-in handlers of one thread. */
export function builtinTasks(ports: CommandPorts): readonly TaskDefinition[] {
  return [httpTask(), shellTask(ports)];
}
