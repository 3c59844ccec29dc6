/**
 * The tables of the memory adapters: what the database is to the PostgreSQL ones. It outlives the journals that are opened on it, so that
 * a test can let a node crash and another one take over. Deterministic.
 */
import type { Clock } from "../clock.ts";
import type { BootId, RunId, Shard } from "../ids.ts";
import type { DocumentRecord } from "./documents.ts";
import type { PublishMark } from "./event-checkpoints.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { RunRecord, RunTimer } from "./journal.ts";
import type { NodeRole } from "./ownership.ts";
import type { StoredPayload, StoredRow, StoredSnapshot } from "./stored-rows.ts";
import type { AttemptRecord } from "./task-ledger.ts";
import type { TaskSlot } from "./task-slots.ts";

/** A row of the journal. */
export interface MemoryRow extends StoredRow {
  readonly epoch: number;
}

/** A row of the runs' table. */
export interface MemoryRun extends RunRecord {
  /** When it was last changed, milliseconds since the epoch. */
  readonly updatedAtMs: number;
}

/** A boot of a node. */
export interface MemoryNode {
  readonly bootId: BootId;
  readonly nodeName: string;
  readonly roles: readonly NodeRole[];
  readonly programVersion: string;
  readonly dialect: number;
  readonly isAlone: boolean;
  readonly startedAtMs: number;
  grpcAddress: string;
  leaseUntilMs: number;
  load: number;
  isStarting: boolean;
  isDrainWanted: boolean;
  /** How it ended; undefined: it is a member. */
  end: { readonly how: "released" | "lost"; readonly atMs: number } | undefined;
  /** A boot's lanes are fenced together. */
  isFenced: boolean;
}

/** Who owns a shard, and since when. */
export interface MemoryShard {
  /** Undefined: nobody. */
  owner: BootId | undefined;
  readonly epoch: number;
  /** True if its owner took it from one that was lost, or, without an owner, if the next one is to be told so. */
  isBereft: boolean;
}

/** A document, and whether it was taken out of use. */
export interface MemoryDocument {
  readonly record: DocumentRecord;
  isRemoved: boolean;
}

/** The tables. */
export class MemoryStore {
  /** The store's own clock: leases and ages are measured by it. */
  readonly clock: Clock;
  readonly runs = new Map<RunId, MemoryRun>();
  /** Rows of each run, in order. */
  readonly rows = new Map<RunId, MemoryRow[]>();
  /** Snapshots of each run, the newest first. */
  readonly snapshots = new Map<RunId, StoredSnapshot[]>();
  /** By run, sequence number and place. */
  readonly payloads = new Map<string, StoredPayload>();
  /** By {@link timerName}. */
  readonly timers = new Map<string, RunTimer>();
  readonly keys = new Map<string, RunId>();
  readonly nodes = new Map<BootId, MemoryNode>();
  /** Those that ever had an owner. */
  readonly shards = new Map<Shard, MemoryShard>();
  /** The shards of each member with their epochs, an index: nodes look far more often than anything changes. None of these maps is ever changed. */
  readonly owned = new Map<BootId, ShardEpochs>();
  ownershipVersion = 0;
  /** In the order in which they were stored. */
  readonly documents: MemoryDocument[] = [];
  /** By run, frame and attempt. */
  readonly attempts = new Map<string, AttemptRecord>();

  /** What each boot published. */
  readonly marks = new Map<BootId, PublishMark>();
  /** Slots of concurrency keys, by all that they say. */
  readonly slots = new Map<string, TaskSlot & { readonly limit?: number }>();
  /** The least limits for which attempts wait, by key, and when one said so, on the monotonic clock. */
  readonly slotLimits = new Map<string, { readonly least: number; readonly askedMs: number }>();
  /** Epochs up to which everything of a shard is published. */
  readonly published = new Map<Shard, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }
}

/** A timer's key in {@link MemoryStore.timers}. */
export function timerName({ runId, timer, dueAtMs }: RunTimer): string {
  return `${runId}/${timer}/${dueAtMs}`;
}
