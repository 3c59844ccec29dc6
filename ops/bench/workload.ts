/**
 * Workload W1: a run of three sequential steps, each a task that does nothing in a worker thread and returns about a hundred bytes of JSON.
 * Every result is committed before the next step starts, and the run's result before the client has it.
 */
import { fileURLToPath } from "node:url";
import { LIMITS } from "../../runtime/limits.ts";
import type { LoadPlan } from "./closed-loop.ts";

/** Folder of the handlers that the workload calls. */
export const HANDLERS_FOLDER = fileURLToPath(new URL("./handlers", import.meta.url));

/** Steps of one run. */
export const STEPS = 3;

/** What runs are started with. */
export const W1 = { namespace: "bench", workflow: "w1", input: '{"n":1}' } as const;

/** The document. */
export const W1_DOCUMENT = `document: { dsl: "1.0.3", namespace: ${W1.namespace}, name: ${W1.workflow}, version: "1.0.0" }
do:
  - one: { call: noop@default }
  - two: { call: noop@default }
  - three: { call: noop@default }
`;

/** The output of a run: what its last step returned, as JSON text. */
export const W1_OUTPUT = '{"ok":true,"note":"about one hundred bytes of JSON, as the workload of the benchmarks asks for it"}';

/** How runs are started: one Execute stream, two unary calls a run, or by the node itself. */
export type Driver = "stream" | "unary" | "in process";

/** An order to whoever starts runs. */
export interface LoadOrder extends LoadPlan {
  readonly kind: "load";
  readonly driver: Driver;
  /** Id of the deployed workflow. */
  readonly workflowId: string;
}

/** Refuses an end of a run that is not what W1 ends with. @throws Error that says how it ended. */
export function requireW1Result(status: string, output: string | undefined, problem: unknown): void {
  if (status === "completed" && output === W1_OUTPUT) return;
  const shown = JSON.stringify({ status, output, problem }).slice(0, LIMITS.statusMessageLength);
  throw new Error(`a run of the benchmark did not end with its result, but with ${shown}`);
}
