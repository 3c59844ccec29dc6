/** A task that does nothing and returns about a hundred bytes of JSON: what the benchmarks call. */
import { defineTask } from "maestro-conductor";

const RESULT = { ok: true, note: "about one hundred bytes of JSON, as the workload of the benchmarks asks for it" };

/** In a thread of the node. */
export const noop = defineTask({ name: "noop", run: () => RESULT });
