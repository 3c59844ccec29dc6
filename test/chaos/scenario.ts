/**
 * What a crash test is: something that breaks a node in its own way from a seed, and ends with the audit.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import { execute } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";
import { audit, countsOf } from "./audit.ts";
import { type ChaosNode, effectsFile } from "./chaos-node.ts";
import { readEvidence, type Scene } from "./evidence.ts";
import type { Load } from "./load.ts";

/** What a scenario is run with. */
export interface ScenarioOptions {
  readonly random: Random;
  /** How often it breaks something; each scenario has its own default. */
  readonly rounds: number | undefined;
  /** How long it breaks things, for those that go by time. */
  readonly minutes?: number | undefined;
  /** For people who watch. */
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface ScenarioResult {
  /** Counts and figures. */
  readonly summary: readonly string[];
  /** What is wrong; empty is well. */
  readonly findings: readonly string[];
}

/** A crash test. */
export type Scenario = (options: ScenarioOptions) => Promise<ScenarioResult>;

const CLOCK = systemClock();

/** Longest time in which all runs have to end once nothing is broken any more, in milliseconds. */
const SETTLE_MS = 120_000;

/** Calls `use` with a folder, which is removed afterwards; if something was found it is kept, and named, so that it can be looked at. */
export async function withFolder(use: (folder: string) => Promise<ScenarioResult>): Promise<ScenarioResult> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-chaos-"));
  chmodSync(folder, 0o711);
  let isKept = false;
  try {
    const result = await use(folder);
    isKept = result.findings.length > 0;
    return isKept ? { ...result, summary: [...result.summary, `kept for inspection: ${folder}`] } : result;
  } finally {
    if (!isKept) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Waits until nothing is under way, then judges. The node stays as it is. */
export async function settleAndAudit(node: ChaosNode, folder: string, load: Load, summary: readonly string[] = []): Promise<ScenarioResult> {
  const startedMs = CLOCK.monotonic();
  const stuck = await finish(load);
  const late = stuck === undefined ? await quiesce(node.pgUrl) : stuck;
  const settledS = ((CLOCK.monotonic() - startedMs) / 1_000).toFixed(1);
  const scene: Scene = { pgUrl: node.pgUrl, effects: effectsFile(folder), orders: load.orders, boots: node.boots };
  const evidence = await readEvidence(scene);
  const findings = [...(late === undefined ? [] : [late]), ...audit(evidence)];
  const stuckMetric = await node.metric("maestro_runs_without_wakeup");
  if (stuckMetric !== 0) findings.push(`maestro_runs_without_wakeup is ${stuckMetric}`);
  const seen = [...load.failures].map(([code, count]) => `${code} ${count}`).join(", ");
  const interrupted = evidence.runs.flatMap(({ entries }) => entries.filter(({ event }) => event?.$case === "attemptInterrupted")).length;
  return {
    summary: [
      countsOf(evidence),
      `${interrupted} attempts were interrupted with their node; all had ended ${settledS} s after the last fault`,
      `failures that the client saw and got over: ${seen === "" ? "none" : seen}`,
      ...summary,
    ],
    findings,
  };
}

/** Ends a load: why it did not end, or undefined. */
export async function finish(load: Load): Promise<string | undefined> {
  const done = load.finish().then(() => true as const);
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  return waitUntil("the end of all orders", () => isDone, SETTLE_MS).then(
    () => undefined,
    () => {
      const open = load.orders.filter((order) => order.told === undefined && !order.isOpen && order.trouble === undefined);
      return `${open.length} orders did not end: ${open
        .slice(0, 5)
        .map(({ id, kind, acknowledged }) => `${id} (${kind.name}, run ${[...acknowledged].join()})`)
        .join(", ")}`;
    },
  );
}

/** Why runs are still under way, or undefined. Runs that wait for a client that gave up are no concern. */
export async function quiesce(pgUrl: string): Promise<string | undefined> {
  const text = `SELECT id FROM workflow_runs WHERE wake & 1 = 1
    UNION SELECT run_id FROM run_timers WHERE due_at < now() + interval '10 minutes'`;
  const idle = async (): Promise<boolean> => (await execute(pgUrl, text)).length === 0;
  return waitUntil("the end of all runs that nobody asks for", idle, SETTLE_MS).then(
    () => undefined,
    (error: unknown) => String(error),
  );
}
