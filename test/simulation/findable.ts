/**
 * Reads a simulated world's store once more from the beginning, for the checkers.
 */
import type { Workflow } from "../../actors/language/model.ts";
import { decodeEntries } from "../../actors/run/core/entry.ts";
import type { RunId } from "../../runtime/ids.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { Evidence, StoredRun } from "../chaos/evidence.ts";
import type { Database } from "./database.ts";

/** Looked at by the auditor's own queries: everything. */
const NO_GRACE_MS = -3_600_000;
const ALL = 1_000_000;

/** What is stored. */
export async function readStored({ memory, reader }: Database, workflows: ReadonlyMap<string, Workflow>): Promise<Evidence> {
  const { withoutWake } = await reader.audit(ShardSet.all, NO_GRACE_MS, ALL);
  const known = [...memory.runs.values()].map(({ runId, workflowId, labels, status }) => ({ runId, workflowId, order: labels.order ?? "", status }));
  const orphans = [...memory.rows.keys()].filter((runId) => !memory.runs.has(runId));
  const all = [...known, ...orphans.map((runId) => ({ runId, workflowId: "", order: "", status: "pending" as const }))];
  const runs = all.map(async ({ runId, workflowId, order, status }): Promise<StoredRun> => {
    const rows = (memory.rows.get(runId) ?? []).map(({ firstSeq, entryCount, epoch }) => ({ seq: firstSeq, count: entryCount, epoch }));
    return { id: runId, workflowId, order, status, rows, ...(await readEntries(reader, runId)) };
  });
  const timers = [...memory.timers.values()];
  return { orders: [], boots: [], traces: [], workflows, keys: memory.keys, timers, withoutWake, runs: await Promise.all(runs) };
}

async function readEntries(reader: Database["reader"], runId: RunId): Promise<Pick<StoredRun, "entries" | "damage">> {
  try {
    const rows = await reader.read(runId, 1, ALL);
    return { entries: rows.flatMap((row) => decodeEntries(runId, row.firstSeq, row.entries)), damage: undefined };
  } catch (error) {
    return { entries: [], damage: String(error) };
  }
}
