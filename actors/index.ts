/**
 * What users' task modules import from `maestro-conductor`. Published: a name that stands here stays.
 */
export { defineTask, type TaskContext, type TaskDefinition, TaskError, type TaskErrorDetail, type TaskLog } from "../runtime/workers/define-task.ts";
