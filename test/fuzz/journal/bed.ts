/** Where damaged histories lie, and a node that reads them: in memory, or in PostgreSQL. */
import type { OpenRuns } from "../../../actors/run/open-runs.ts";
import { openRuns } from "../../../actors/run/open-runs.ts";
import type { Runs } from "../../../actors/runs.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import type { EventHub } from "../../../runtime/events.ts";
import { newBootId, type RunId } from "../../../runtime/ids.ts";
import { systemRandom } from "../../../runtime/random.ts";
import type { HeldShards } from "../../../runtime/storage/held-shards.ts";
import type { Journal } from "../../../runtime/storage/journal.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../../runtime/storage/memory-task-slots.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import type { TaskLedger } from "../../../runtime/storage/task-ledger.ts";
import { Tasks } from "../../support/runs-node.ts";
import type { History } from "./histories.ts";
import type { StoredRun } from "./stored-run.ts";

/** A node over stored runs. */
export interface OpenBed {
  readonly runs: Runs;
  readonly events: EventHub;
  readonly journal: Journal;
  stop(): Promise<void>;
}

/** Makes beds, one after the other. */
export interface JournalBed {
  /** Stores these runs, forgets all others, and starts a node. */
  open(runs: readonly StoredRun[], histories: readonly History[]): Promise<OpenBed>;
  close(): Promise<void>;
}

/** What a node of a bed stands on. */
export interface BedParts {
  readonly journal: Journal;
  readonly held: HeldShards;
  readonly ledger: TaskLedger;
  readonly events: EventHub;
}

/** Starts the runs of a node on a journal, with tasks that answer at once. */
export async function openBed({ journal, held, ledger, events }: BedParts, histories: readonly History[]): Promise<OpenBed> {
  const workflows = new Map(histories.map(({ workflowId, workflow }) => [workflowId, workflow]));
  const open: OpenRuns = await openRuns({
    ...{ nodeName: "test", clock: systemClock(), random: systemRandom(), events, journal, ledger, idleMs: 60_000, held, bereft: ShardSet.none },
    ...{ bootId: newBootId(systemRandom()), taskSlots: new MemoryTaskSlots(new MemoryStore(systemClock())) },
    pool: new Tasks({ charge: () => 1, refund: () => 2, ship: () => 3 }),
    evaluator: { evaluate: async () => ({ value: "external" }), check: async () => undefined, close: async () => undefined },
    workflow: async (id) => {
      const workflow = workflows.get(id);
      if (workflow === undefined) throw new MaestroError("WORKFLOW_NOT_FOUND", { facts: { workflow: id } });
      return workflow;
    },
    onFenced: () => undefined,
    onTrouble: () => undefined,
  });
  return { runs: open.runs, events, journal, stop: () => open.close() };
}

/** What the store says of a run. */
export async function statusIn(bed: OpenBed, runId: RunId): Promise<string> {
  return (await bed.journal.find(runId))?.status ?? "gone";
}
