/**
 * Everything that the audit of a crash test judges, read from the store by plain SQL: what the product stored, beside what the client was told and what
 * the handlers did. The product's code decodes entries and checks rows; nothing else of it takes part.
 */
import { readFileSync } from "node:fs";
import type { Workflow } from "../../actors/language/model.ts";
import type { Entry } from "../../actors/run/core/entry.ts";
import { decodeEntries } from "../../actors/run/core/entry.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { RunStatus } from "../../runtime/storage/journal.ts";
import { PgDatabase } from "../../runtime/storage/pg-database.ts";
import { PgJournalReader } from "../../runtime/storage/pg-journal-reader.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import { compileText } from "../support/compile-document.ts";
import type { Boot } from "./chaos-node.ts";
import type { Order } from "./order.ts";

/** A run's row, and its history as it could be read. */
export interface StoredRun {
  readonly id: RunId;
  readonly workflowId: string;
  readonly order: string;
  readonly status: RunStatus;
  readonly rows: readonly { readonly seq: number; readonly count: number; readonly epoch: number }[];
  readonly entries: readonly Entry[];
  /** Why the history could not be read: a checksum, a gap, bytes that are no entries. */
  readonly damage: string | undefined;
}

/** One trace of a handler. */
export interface Trace {
  /** The node that had it executed: process of a boot, as far as that can be told. */
  readonly pid: number;
  /** False in a child process of the node. */
  readonly isInNode: boolean;
  /** `run:frame`. */
  readonly key: string;
  readonly attempt: number;
}

/** What is judged. */
export interface Evidence {
  readonly orders: readonly Order[];
  readonly runs: readonly StoredRun[];
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly keys: ReadonlyMap<string, RunId>;
  readonly timers: readonly { readonly runId: RunId; readonly timer: number }[];
  /** What the auditor's own queries find, without any grace. */
  readonly withoutWake: readonly RunId[];
  readonly traces: readonly Trace[];
  readonly boots: readonly Boot[];
  /** Why an attempt may have been executed more than once although no process was cut. Default: for no reason. */
  readonly excuses?: Excuses;
}

/** When an attempt was scheduled, and when its result was written. In milliseconds since the epoch. */
export interface AttemptTimes {
  readonly scheduledAtMs: number;
  readonly endedAtMs: number;
}

/** What in a cluster takes a run from a node that lives on. Times in milliseconds since the epoch. */
export interface Excuses {
  /** True if the process had the run's shard, and another one had it after that, but not before the attempt was scheduled, and by the time of its end. */
  isCut(pid: number, run: RunId, attempt: AttemptTimes): boolean;
  /** True if the process may execute an attempt again by itself: a thread of it died. */
  mayRepeat(pid: number, untilMs: number): boolean;
}

/** Where the evidence is. */
export interface Scene {
  readonly pgUrl: string;
  readonly effects: string;
  readonly orders: readonly Order[];
  readonly boots: readonly Boot[];
}

interface RunRow {
  readonly id: RunId;
  readonly workflow_id: string;
  readonly status: RunStatus;
  readonly labels: Readonly<Record<string, string>>;
}

interface JournalRow {
  readonly run_id: RunId;
  readonly seq: string;
  readonly epoch: string;
  readonly entry_count: number;
}

/** Reads the evidence. The node may run, but nothing may be under way. */
export async function readEvidence(scene: Scene): Promise<Evidence> {
  const database = new PgDatabase({ url: scene.pgUrl, applicationName: "chaos-audit" });
  try {
    const reader = new PgJournalReader(database);
    const documents = await database.query<{ id: string; document: string }>("SELECT id, document FROM workflows");
    const keys = await database.query<{ key: string; run_id: RunId }>("SELECT key, run_id FROM run_keys");
    const timers = await database.query<{ run_id: RunId; timer: number }>("SELECT run_id, timer FROM run_timers");
    const { withoutWake, ready } = await reader.audit(ShardSet.all, -60_000, 100_000);
    return {
      orders: scene.orders,
      boots: scene.boots,
      runs: await readRuns(database, reader),
      workflows: new Map(await Promise.all(documents.map(async ({ id, document }) => [id, await compile(document)] as const))),
      keys: new Map(keys.map(({ key, run_id }) => [key.slice(key.indexOf("/") + 1), run_id])),
      timers: timers.map(({ run_id, timer }) => ({ runId: run_id, timer })),
      withoutWake: [...withoutWake, ...ready],
      traces: readTraces(scene.effects, new Set(scene.boots.map(({ pid }) => pid))),
    };
  } finally {
    await database.close();
  }
}

function compile(document: string): Promise<Workflow> {
  return compileText(document, { handlers: undefined });
}

async function readRuns(database: PgDatabase, reader: PgJournalReader): Promise<StoredRun[]> {
  const runs = await database.query<RunRow>("SELECT id, workflow_id, status, labels FROM workflow_runs ORDER BY id");
  const rows = await database.query<JournalRow>("SELECT run_id, seq, epoch, entry_count FROM journal ORDER BY run_id, seq");
  const byRun = Map.groupBy(rows, (row) => row.run_id);
  const known = new Set(runs.map(({ id }) => id));
  const orphans = [...byRun.keys()].filter((id) => !known.has(id));
  const stored: StoredRun[] = [];
  for (const run of [...runs, ...orphans.map((id): RunRow => ({ id, workflow_id: "", status: "pending", labels: {} }))]) {
    const own = (byRun.get(run.id) ?? []).map(({ seq, entry_count, epoch }) => ({ seq: Number(seq), count: entry_count, epoch: Number(epoch) }));
    const { entries, damage } = await readEntries(reader, run.id);
    stored.push({ id: run.id, workflowId: run.workflow_id, order: run.labels.order ?? "", status: run.status, rows: own, entries, damage });
  }
  return stored;
}

async function readEntries(reader: PgJournalReader, id: RunId): Promise<Pick<StoredRun, "entries" | "damage">> {
  try {
    const rows = await reader.read(id, 1, 1_000_000);
    return { entries: rows.flatMap((row) => decodeEntries(id, row.firstSeq, row.entries)), damage: undefined };
  } catch (error) {
    return { entries: [], damage: String(error) };
  }
}

function readTraces(file: string, boots: ReadonlySet<number>): Trace[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => {
    const [pid = "", key = "", attempt, parent] = line.split(" ");
    const isInNode = boots.has(Number(pid));
    return { pid: Number(isInNode || !boots.has(Number(parent)) ? pid : parent), isInNode, key, attempt: Number(attempt) };
  });
}
