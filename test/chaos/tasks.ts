/**
 * Tasks that harm what executes them, in both tiers: what becomes of the task, of its neighbours, and of the node. The table that this prints stands in
 * `runtime/workers/README.md`.
 */
import { fileURLToPath } from "node:url";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import type { Run } from "../../proto/gen/maestro/v1/run_service.ts";
import type { Tier } from "../../runtime/workers/pool.ts";
import { temporaryFolder } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";
import { ChaosNode } from "./chaos-node.ts";
import type { Scenario } from "./scenario.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/rogue-handlers", import.meta.url));
const NAMES = [
  "throws",
  "throws-later",
  "rejects-aside",
  "loops-bounded",
  "loops",
  "exits",
  "eats-heap",
  "prints-1-gb",
  "prints-1-gb-at-once",
  "writes-64-mb-to-stdout",
  "returns-256-mb",
  "forks-100-children",
  "aborts",
  "dies-of-sigsegv",
] as const;
const TIERS: readonly Tier[] = ["thread", "process"];
const NEIGHBOURS = 20;
const ALL = `${NEIGHBOURS} of ${NEIGHBOURS} completed`;
/** A heap that is full soon. */
const HEAP = "--max-old-space-size=256";
/** Longest time that a task is given to do its harm, in milliseconds. */
const HARM_MS = 100_000;

/** What a table's row says of one task in one tier. */
interface Row {
  readonly task: string;
  readonly tier: Tier;
  readonly outcome: string;
  readonly neighbours: string;
  readonly others: string;
  readonly node: string;
}

/** See the file header. The number of rounds means nothing here. */
export const tasks: Scenario = async ({ say }) => {
  const rows: Row[] = [];
  const findings: string[] = [];
  let bed: Bed | undefined;
  for (const name of NAMES) {
    for (const tier of TIERS) {
      bed ??= await Bed.open();
      const row = await bed.try(name, tier);
      say(`${row.task} in ${row.tier}: ${row.outcome}; neighbours ${row.neighbours}; others ${row.others}; node ${row.node}`);
      rows.push(row);
      // What a native crash in the node's own process does is a property of processes; everything else must cost its attempt alone.
      const isBeyondUs = name === "dies-of-sigsegv" && tier === "thread";
      if (!isBeyondUs && (row.node !== "lives" || row.neighbours !== ALL || row.others !== ALL)) {
        findings.push(`${name} in the tier ${tier}: neighbours ${row.neighbours}, others ${row.others}, node ${row.node}`);
      }
      if (bed.isOver) bed = undefined;
    }
  }
  await bed?.close();
  return {
    summary: [
      `| task | tier | the task ends as | ${NEIGHBOURS} neighbours | the other tier | the node |`,
      "|---|---|---|---|---|---|",
      ...rows.map(lineOf),
    ],
    findings,
  };
};

function lineOf({ task, tier, outcome, neighbours, others, node }: Row): string {
  return `| ${task} | ${tier} | ${outcome} | ${neighbours} | ${others} | ${node} |`;
}

/** A node with the handlers, until one of them kills it. */
class Bed {
  readonly #node: ChaosNode;
  readonly #client: MaestroClient;

  private constructor(node: ChaosNode, client: MaestroClient) {
    this.#node = node;
    this.#client = client;
  }

  static async open(): Promise<Bed> {
    const node = new ChaosNode({ folder: temporaryFolder(), handlers: HANDLERS, env: { NODE_OPTIONS: HEAP } });
    await node.start();
    const client = connect(await node.address());
    for (const name of ["calm", ...NAMES]) for (const tier of TIERS) await client.deploy(documentOf(`${name}-${tier}`));
    return new Bed(node, client);
  }

  get isOver(): boolean {
    return this.#node.process.isOver;
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#node.stop();
  }

  /** Lets one task do its harm amid neighbours of both tiers. */
  async try(name: string, tier: Tier): Promise<Row> {
    const other = tier === "thread" ? "process" : "thread";
    const calm = await Promise.all([this.#start(`calm-${tier}`, NEIGHBOURS), this.#start(`calm-${other}`, NEIGHBOURS)]);
    const [rogue = ""] = await this.#start(`${name}-${tier}`, 1).catch((error: unknown) => this.#diedOf(error));
    const [end, neighbours, others] = await Promise.all([this.#end(rogue), ...calm.map((ids) => this.#tally(ids))]);
    if (end === undefined && !this.isOver) await this.#client.terminate(rogue).catch((error: unknown) => String(error));
    return {
      ...{ task: name, tier },
      outcome: this.isOver ? "" : end === undefined ? "does not end" : outcomeOf(end),
      ...{ neighbours: neighbours ?? "", others: others ?? "", node: await this.#fate() },
    };
  }

  async #start(workflow: string, count: number): Promise<string[]> {
    const started = Array.from({ length: count }, async () => (await this.#client.start({ namespace: "rogue", workflow })).runId);
    return Promise.all(started);
  }

  /** A rogue may end the node before its start is answered; then nobody knows its run. */
  async #diedOf(error: unknown): Promise<string[]> {
    await waitUntil(`the end of the node, after: ${String(error)}`, () => this.isOver, 5_000);
    return [];
  }

  /** The run once it has ended; undefined if it does not in time, or the node is gone. */
  async #end(runId: string): Promise<Run | undefined> {
    const look = async (): Promise<Run | "gone" | undefined> => {
      if (this.isOver) return "gone";
      const run = await this.#client.getRun(runId);
      return run.endedAt === undefined ? undefined : run;
    };
    const run = await waitUntil("the end of a rogue", look, HARM_MS).catch((error: unknown) => String(error));
    return typeof run === "string" ? undefined : run;
  }

  async #tally(runIds: readonly string[]): Promise<string> {
    const runs = await Promise.all(runIds.map((runId) => this.#end(runId)));
    const completed = runs.filter((run) => run?.status === RunStatus.COMPLETED).length;
    return this.isOver ? "" : `${completed} of ${runs.length} completed`;
  }

  /** What became of the node; one that died is started once more, to see whether the task kills it again. */
  async #fate(): Promise<string> {
    const node = this.#node;
    if (!node.process.isOver) return "lives";
    this.#client.close();
    const { code, signal } = await node.process.ended();
    node.cut();
    node.launch();
    const again = await waitUntil("a second death", () => node.process.isOver, 15_000).then(
      () => true,
      () => false,
    );
    if (!again) await node.kill();
    return `dies (${signal ?? `code ${code}`})${again ? ", and again when it is started again" : ""}`;
  }
}

function documentOf(handler: string): string {
  return `document: { dsl: "1.0.3", namespace: rogue, name: ${handler}, version: "1.0.0" }\ndo: [ { it: { call: ${handler}@default } } ]\n`;
}

function outcomeOf({ status, output, error }: Run): string {
  return status === RunStatus.COMPLETED
    ? `completed: ${output.slice(0, 40)}`
    : `failed: ${(error?.detail ?? "").slice(0, 110).replaceAll("\n", " ")}`;
}
