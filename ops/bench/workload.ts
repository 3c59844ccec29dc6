/**
 * What is run: W1, three steps one after the other; W2, a hundred at the same time. A step is a task that does nothing in a worker thread and
 * returns about a hundred bytes of JSON. Every result is committed before what follows starts, and the run's before the client has it.
 */
import { fileURLToPath } from "node:url";
import { LIMITS } from "../../runtime/limits.ts";
import type { LoadPlan } from "./closed-loop.ts";

/** Folder of the handlers that the workloads call. */
export const HANDLERS_FOLDER = fileURLToPath(new URL("./handlers", import.meta.url));

/** Namespace of all workflows of the benchmarks. */
export const NAMESPACE = "bench";

/** One thing to run again and again. */
export interface Workload {
  /** What a run is started with. */
  readonly start: { readonly namespace: string; readonly workflow: string; readonly input: string };
  /** The workflow's document. */
  readonly document: string;
  /** Steps of one run. */
  readonly steps: number;
  /** What a run ends with, as JSON text. */
  readonly output: string;
}

/** The first lines of a document. */
export function header(name: string): string {
  return `document: { dsl: "1.0.3", namespace: ${NAMESPACE}, name: ${name}, version: "1.0.0" }\n`;
}

/** What one step returns, as JSON text. */
const STEP_OUTPUT = '{"ok":true,"note":"about one hundred bytes of JSON, as the workload of the benchmarks asks for it"}';

const BRANCHES = Array.from({ length: 100 }, (_none, index) => `        - branch-${index}: { call: noop@default }\n`);

/** The workloads that are run in a closed loop. */
export const WORKLOADS = {
  w1: {
    start: { namespace: NAMESPACE, workflow: "w1", input: '{"n":1}' },
    document: `${header("w1")}do:
  - one: { call: noop@default }
  - two: { call: noop@default }
  - three: { call: noop@default }
`,
    steps: 3,
    output: STEP_OUTPUT,
  },
  w2: {
    start: { namespace: NAMESPACE, workflow: "w2", input: '{"n":1}' },
    document: `${header("w2")}do:\n  - all:\n      fork:\n        branches:\n${BRANCHES.map((branch) => `  ${branch}`).join("")}`,
    steps: BRANCHES.length,
    output: `[${BRANCHES.map(() => STEP_OUTPUT).join(",")}]`,
  },
} as const satisfies Readonly<Record<string, Workload>>;

/** Name of one of them. */
export type WorkloadName = keyof typeof WORKLOADS;

/** How runs are started: one Execute stream, one unary call a run, or by the node itself. */
export type Driver = "stream" | "unary" | "in process";

/** An order to whoever starts runs, in a closed loop, and waits for their ends. */
export interface LoadOrder extends LoadPlan {
  readonly kind: "load";
  readonly driver: Driver;
  readonly workload: WorkloadName;
  /** Id of the deployed workflow. */
  readonly workflowId: string;
}

/** A deployed workflow. */
export interface Deployed {
  readonly workflow: string;
  readonly workflowId: string;
}

/** An order to start runs, of several workflows in turn, in a closed loop; nobody waits for their ends. */
export interface StartOrder extends LoadPlan {
  readonly kind: "start";
  readonly workflows: readonly Deployed[];
  readonly input: string;
}

/** Refuses an end of a run that is not what its workload ends with. @throws Error that says how it ended. */
export function requireResult(workload: Workload, status: string, output: string | undefined, problem: unknown): void {
  if (status === "completed" && output === workload.output) return;
  const shown = JSON.stringify({ status, output, problem }).slice(0, LIMITS.statusMessageLength);
  throw new Error(`a run of the benchmark did not end with its result, but with ${shown}`);
}
