/**
 * What the conformance suites run on: the ports over one store, and ways to look behind them that the ports do not offer.
 */

import type { EventHub } from "../../runtime/events.ts";
import type { BootId, RunId } from "../../runtime/ids.ts";
import type { DocumentStore } from "../../runtime/storage/documents.ts";
import type { EventCheckpoints } from "../../runtime/storage/event-checkpoints.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { LaneBounds } from "../../runtime/storage/lane.ts";
import type { MemoryObjectStore } from "../../runtime/storage/memory-object-store.ts";
import type { Ownership } from "../../runtime/storage/ownership.ts";
import type { Retention } from "../../runtime/storage/retention.ts";
import type { AttemptRecord, TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { TaskSlots } from "../../runtime/storage/task-slots.ts";

/** A boot with its journal. */
export interface Boot {
  readonly bootId: BootId;
  readonly held: HeldShards;
  readonly journal: Journal;
  readonly events: EventHub;
}

/** The bed. */
export interface StorageBed {
  readonly ownership: Ownership;
  /** The ownership as another node has it, over connections of its own. */
  openOwnership(): Promise<Ownership>;
  readonly documents: DocumentStore;
  readonly ledger: TaskLedger;
  /** Where the journals put the largest payloads. */
  readonly objects: MemoryObjectStore;
  readonly retention: Retention;
  readonly checkpoints: EventCheckpoints;
  readonly slots: TaskSlots;
  /** The slots as another node has them, over connections of its own. */
  openSlots(): Promise<TaskSlots>;
  /**
   * Lets a new boot join and opens its journal; it owns all shards if there is no boot of another node. Default: node "a", two lanes, the bounds of
   * the product.
   */
  boot(nodeName?: string, lanes?: number, bounds?: LaneBounds): Promise<Boot>;
  /** Closes the journals of the boots so far. */
  closeBoots(): Promise<void>;
  /** What is stored of the ledger. */
  attempts(): Promise<readonly AttemptRecord[]>;
  /** Spoils the row of a run's history that begins at `seq`: turns its bytes, or takes it away. */
  damage(runId: RunId, seq: number, how: "alter" | "remove"): Promise<void>;
  /** Turns the bytes of the snapshot after entry `seq`. */
  damageSnapshot(runId: RunId, seq: number): Promise<void>;
  /** Turns the bytes of a payload's row. */
  damagePayload(runId: RunId, seq: number, place: number): Promise<void>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
}

/** Makes a bed over an empty store. */
export type MakeBed = () => Promise<StorageBed>;
