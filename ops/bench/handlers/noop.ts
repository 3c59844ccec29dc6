/** The tasks of the benchmarks: they do nothing and return about a hundred bytes of JSON. */
import { defineTask } from "../../../runtime/workers/define-task.ts";

const RESULT = { ok: true, note: "about one hundred bytes of JSON, as the workload of the benchmarks asks for it" };

/** In a thread of the node. */
export const noop = defineTask({ name: "noop", run: () => RESULT });

/** In a thread of a child process. */
export const noopInChild = defineTask({ name: "noop-in-child", tier: "process", run: () => RESULT });
