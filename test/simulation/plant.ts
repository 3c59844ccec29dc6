/**
 * Where a simulated world can be given a defect on purpose: a wrapper around a part of the product that does not what it should, so that it is seen
 * which checker notices.
 */
import type { Runs } from "../../actors/runs.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { BatchStore } from "../../runtime/storage/batch-store.ts";
import type { JournalReader } from "../../runtime/storage/laned-journal.ts";
import type { TaskSlots } from "../../runtime/storage/task-slots.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { Database } from "./database.ts";
import type { Execution } from "./execution-log.ts";

/** One defect. What is absent is as it should be. */
export interface Plant {
  /** The store behind all links: what it is given has arrived. */
  batches?(store: BatchStore, bootId: BootId, database: Database): BatchStore;
  reader?(reader: JournalReader): JournalReader;
  taskSlots?(slots: TaskSlots): TaskSlots;
  pool?(pool: WorkerPool): WorkerPool;
  /** False: the stream acknowledges the event and does not store it. */
  keepsEvent?(): boolean;
  /** The runs as clients reach them. */
  runs?(runs: Runs): Runs;
  /** False: nobody hears of the execution. */
  isTold?(execution: Execution): boolean;
}
