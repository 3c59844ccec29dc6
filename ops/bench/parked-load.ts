/**
 * Runs that go on slowly, for as long as a failure of a node takes: some tick (a timer each second), some have a long task under way. Each is started
 * by a unary call whose acknowledgement counts: it must end with its result, and no result of a step may be recorded twice.
 */
import type { MaestroClient } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import { repeatedResults } from "./recorded-results.ts";
import { header, NAMESPACE } from "./workload.ts";

const TICKS = 10;
const NAPS = 4;
const NAP_MS = 2_500;
/** Starts under way at a time. */
const STARTS_AT_ONCE = 20;
const END_MS = 120_000;

/** Ten timers, one after the other. */
const TICKING = `${header("ticking")}do:
  - ticks:
      for: { in: "\${ [range(0; ${TICKS})] }" }
      do:
        - tick: { wait: { seconds: 1 } }
  - done: { set: { done: ticking } }
`;
/** Long tasks, one after the other. */
const NAPPING = `${header("napping")}do:
${Array.from({ length: NAPS }, (_none, index) => `  - nap-${index}: { call: nap@default, with: { ms: ${NAP_MS} } }\n`).join("")}  - done: { set: { done: napping } }
`;
const WORKFLOWS = ["ticking", "napping"] as const;

/** What became of them. */
export interface ParkedReport {
  readonly acknowledged: number;
  /** Of these, not there, or ended in anything but their result. */
  readonly lost: number;
  /** Results of steps that are recorded more than once. */
  readonly twice: number;
}

/** The runs. */
export class ParkedLoad {
  readonly #client: MaestroClient;
  readonly #runs: { readonly runId: string; readonly workflow: string }[] = [];

  constructor(client: MaestroClient) {
    this.#client = client;
  }

  /** Deploys the workflows. */
  static async deploy(client: MaestroClient): Promise<void> {
    for (const document of [TICKING, NAPPING]) await client.deploy(document);
  }

  /** Starts so many of each kind. */
  async start(count: number): Promise<void> {
    let left = count * WORKFLOWS.length;
    const starter = async (): Promise<void> => {
      while (left > 0) {
        const workflow = WORKFLOWS[left-- % WORKFLOWS.length] ?? "";
        this.#runs.push({ runId: (await this.#client.start({ namespace: NAMESPACE, workflow })).runId, workflow });
      }
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, starter));
  }

  /** Waits for their ends, and looks what is recorded. */
  async finish(): Promise<ParkedReport> {
    let [lost, twice] = [0, 0];
    for (const { runId, workflow } of this.#runs) {
      const run = await this.#client.awaitRun(runId, { timeoutMs: END_MS });
      if (statusOf(run.status) !== "completed" || run.output !== JSON.stringify({ done: workflow })) lost++;
      twice += await repeatedResults(this.#client, runId);
    }
    return { acknowledged: this.#runs.length, lost, twice };
  }
}
