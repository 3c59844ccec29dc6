/**
 * The handlers that every worker thread has.
 */
import type { TaskDefinition } from "../define-task.ts";
import type { Reply } from "../protocol.ts";

/** The built-in handlers of one thread. `reply` tells the node of groups of operating system processes, which must end with the thread. */
export function builtinTasks(_reply: (reply: Reply) => void): readonly TaskDefinition[] {
  return [];
}
