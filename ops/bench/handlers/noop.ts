/** The tasks of the benchmarks. */
import { defineTask } from "../../../runtime/workers/define-task.ts";
import { noop } from "../../examples/handlers/noop.ts";

export { noop };

/** In a thread of a child process. */
export const noopInChild = defineTask({ name: "noop-in-child", tier: "process", run: noop.run });
