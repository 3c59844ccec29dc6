/**
 * Tasks that harm what executes them, in both tiers: what becomes of the task, of its neighbours, and of the node. The table that this prints stands in
 * `runtime/workers/README.md`. A node may be ended by a task once at most; it is started again on the same data then, and everything goes on.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import type { Run } from "../../proto/gen/maestro/v1/run_service.ts";
import type { Tier } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { audit } from "./audit.ts";
import { ChaosNode, effectsFile } from "./chaos-node.ts";
import { readEvidence } from "./evidence.ts";
import type { Order } from "./order.ts";
import { ROGUES, type Rogue } from "./rogues.ts";
import { quiesce, type Scenario, type ScenarioResult, withFolder } from "./scenario.ts";
import type { Kind } from "./workflows.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/rogue-handlers", import.meta.url));
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
  /** How often the node died, and of what. */
  readonly deaths: readonly string[];
}

/** See the file header. The number of rounds means nothing here. */
export const tasks: Scenario = ({ say }) =>
  withFolder(async (folder) => {
    const bed = new Bed(folder);
    const rows: Row[] = [];
    try {
      await bed.open();
      for (const rogue of ROGUES) {
        for (const tier of TIERS) {
          const row = await bed.try(rogue, tier);
          say(lineOf(row));
          rows.push(row);
        }
      }
      return summaryOf(rows, await bed.close());
    } finally {
      bed.destroy();
    }
  });

function summaryOf(rows: readonly Row[], findings: readonly string[]): ScenarioResult {
  const harmed = rows.filter(({ task, tier, neighbours, others, deaths }) => {
    const allowed = tier === "thread" ? (ROGUES.find(({ name }) => name === task)?.deaths ?? 0) : 0;
    return deaths.length !== allowed || neighbours !== ALL || others !== ALL;
  });
  return {
    summary: [
      `| task | tier | the task ends as | ${NEIGHBOURS} neighbours | the other tier | the node |`,
      "|---|---|---|---|---|---|",
      ...rows.map(lineOf),
    ],
    findings: [...harmed.map((row) => `not as it should be: ${lineOf(row)}`), ...findings],
  };
}

function lineOf({ task, tier, outcome, neighbours, others, deaths }: Row): string {
  const fate = deaths.length === 0 ? "lives" : `dies ${deaths.length === 1 ? "once" : `${deaths.length} times`} (${deaths.join(", ")}), goes on`;
  return `| ${task} | ${tier} | ${outcome} | ${neighbours} | ${others} | ${fate} |`;
}

/** A node with the handlers, on one data folder from the first task to the audit. */
class Bed {
  readonly #folder: string;
  readonly #node: ChaosNode;
  readonly #orders: Order[] = [];
  #client: MaestroClient | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#node = new ChaosNode({ folder, handlers: HANDLERS, env: { NODE_OPTIONS: HEAP } });
  }

  async open(): Promise<void> {
    writeFileSync(effectsFile(this.#folder), "");
    await this.#start();
    for (const tier of TIERS) {
      await this.#connected.deploy(documentOf(`calm-${tier}`, callOf(`calm-${tier}`)));
      for (const { name, body } of ROGUES) await this.#connected.deploy(documentOf(`${name}-${tier}`, body?.(tier) ?? callOf(`${name}-${tier}`)));
    }
  }

  /** Stops the node once nothing is under way any more; answers what is wrong in its store. */
  async close(): Promise<readonly string[]> {
    const late = await quiesce(this.#node.pgUrl);
    const scene = { pgUrl: this.#node.pgUrl, effects: effectsFile(this.#folder), orders: this.#orders, boots: this.#node.boots };
    // These handlers leave no traces.
    const findings = audit(await readEvidence(scene), ["side effects"]);
    await this.#node.stop();
    return late === undefined ? findings : [late, ...findings];
  }

  destroy(): void {
    this.#client?.close();
    this.#node.destroy();
  }

  /** Lets one task do its harm amid neighbours of both tiers. */
  async try(rogue: Rogue, tier: Tier): Promise<Row> {
    const calm: Rogue = { name: "calm", status: "completed" };
    const other = tier === "thread" ? "process" : "thread";
    const neighbours = await this.#order(calm, tier, NEIGHBOURS);
    const others = await this.#order(calm, other, NEIGHBOURS);
    const [harm] = await this.#order(rogue, tier, 1);
    const deaths: string[] = [];
    const isOver = (): boolean => [...neighbours, ...others, harm].every((order) => order?.told !== undefined);
    for (let isDead = true; isDead && deaths.length < 5; ) {
      await this.#settle();
      isDead = !isOver() && this.#node.process.isOver;
      if (isDead) deaths.push(await this.#revive());
    }
    const run = harm?.told === undefined ? undefined : await this.#connected.getRun([...harm.acknowledged][0] ?? "");
    if (run === undefined && harm !== undefined) await this.#connected.terminate([...harm.acknowledged][0] ?? "");
    return {
      ...{ task: rogue.name, tier, deaths },
      outcome: run === undefined ? "does not end" : outcomeOf(run),
      ...{ neighbours: tally(neighbours), others: tally(others) },
    };
  }

  get #connected(): MaestroClient {
    if (this.#client === undefined) throw new Error("the node was not started");
    return this.#client;
  }

  async #start(): Promise<void> {
    await this.#node.start();
    this.#client = connect(await this.#node.address());
  }

  /** Starts runs, each under a key: what the node could not answer before it died is asked for again. */
  async #order({ name, status }: Rogue, tier: Tier, count: number): Promise<Order[]> {
    const kind: Kind = { name: `${name}-${tier}`, drive: "nothing", document: "", expect: () => ({ status }) };
    const orders = Array.from({ length: count }, (_, index): Order => {
      const id = `${name}-${tier}-${this.#orders.length + index + 1}`;
      return {
        ...{ id, kind, n: 0, key: id, isPersistent: true, isExecuted: false, acknowledged: new Set<string>() },
        ...{ isDriven: true, isOpen: false, told: undefined, trouble: undefined },
      };
    });
    this.#orders.push(...orders);
    await Promise.all(orders.map((order) => this.#begin(order).catch((error: unknown) => this.#diedOf(error))));
    return orders;
  }

  async #begin({ id, kind, acknowledged }: Order): Promise<void> {
    const { runId } = await this.#connected.start({ namespace: "rogue", workflow: kind.name, idempotencyKey: id, labels: { order: id } });
    acknowledged.add(runId);
  }

  async #diedOf(error: unknown): Promise<void> {
    await waitUntil(`the end of the node, after: ${String(error)}`, () => this.#node.process.isOver, 5_000);
  }

  /** Waits until the runs have ended, the node has, or the time is up. */
  async #settle(): Promise<void> {
    const open = (): Order[] => this.#orders.filter((order) => order.told === undefined && order.trouble === undefined);
    const look = async (): Promise<boolean> => {
      if (this.#node.process.isOver) return true;
      const asked = open().map((order) => this.#look(order).catch((error: unknown) => this.#diedOf(error)));
      await Promise.all(asked);
      return open().length === 0;
    };
    // A run that is still open then is told of as one that does not end.
    await waitUntil("the end of a rogue", look, HARM_MS).catch(() => undefined);
  }

  async #look(order: Order): Promise<void> {
    if (order.acknowledged.size === 0) await this.#begin(order);
    const run = await this.#connected.getRun([...order.acknowledged][0] ?? "");
    if (run.endedAt !== undefined) order.told = { status: run.status, output: run.output, error: run.error };
  }

  /** Starts the node again after it died; answers of what. */
  async #revive(): Promise<string> {
    this.#client?.close();
    const { code, signal } = await this.#node.process.ended();
    this.#node.cut();
    await this.#start();
    return signal ?? `code ${code}`;
  }
}

function tally(orders: readonly Order[]): string {
  return `${orders.filter((order) => order.told?.status === RunStatus.COMPLETED).length} of ${orders.length} completed`;
}

function callOf(handler: string): string {
  return `[ { it: { call: ${handler}@default } } ]`;
}

function documentOf(name: string, body: string): string {
  return `document: { dsl: "1.0.3", namespace: rogue, name: ${name}, version: "1.0.0" }\ndo: ${body}\n`;
}

function outcomeOf({ status, output, error }: Run): string {
  return status === RunStatus.COMPLETED
    ? `completed: ${output.slice(0, 40)}`
    : `failed: ${(error?.detail ?? "").slice(0, 110).replaceAll("\n", " ")}`;
}
