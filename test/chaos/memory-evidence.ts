/**
 * The evidence of a crash test in memory.
 */
import { decodeEntries } from "../../actors/run/core/entry.ts";
import type { RunId } from "../../runtime/ids.ts";
import { MemoryJournalReader } from "../../runtime/storage/memory-journal-reader.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { Store } from "../support/runs-node.ts";
import type { Evidence, StoredRun } from "./evidence.ts";
import type { MortalNode } from "./mortal-node.ts";
import type { Order } from "./order.ts";

/** Reads what is to be judged from a store in memory. */
export async function readMemory({ memory, workflows }: Store, order: Order, boots: readonly MortalNode[]): Promise<Evidence> {
  const reader = new MemoryJournalReader(memory);
  const { withoutWake, ready } = await reader.audit(ShardSet.all, -60_000, 100);
  const runs = [...memory.runs.values()].map(async ({ runId, workflowId, labels, status }): Promise<StoredRun> => {
    const rows = (memory.rows.get(runId) ?? []).map(({ firstSeq, entryCount, epoch }) => ({ seq: firstSeq, count: entryCount, epoch }));
    return { id: runId, workflowId, order: labels.order ?? "", status, rows, ...(await readEntries(reader, runId)) };
  });
  return {
    ...{ orders: [order], workflows, keys: memory.keys, timers: [...memory.timers.values()], runs: await Promise.all(runs) },
    withoutWake: [...withoutWake, ...ready],
    traces: boots.flatMap(({ tasks }) => tasks.traces),
    boots: boots.map(({ boot, cutAtMs }) => ({ pid: boot, cutAtMs })),
  };
}

async function readEntries(reader: MemoryJournalReader, id: RunId): Promise<Pick<StoredRun, "entries" | "damage">> {
  try {
    const rows = await reader.read(id, 1, 1_000);
    return { entries: rows.flatMap((row) => decodeEntries(id, row.firstSeq, row.entries)), damage: undefined };
  } catch (error) {
    return { entries: [], damage: String(error) };
  }
}
