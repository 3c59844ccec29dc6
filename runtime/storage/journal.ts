/**
 * The port of the journal: the only durable truth about runs. A write is acknowledged after it is committed with fsync, together with
 * everything that must be true at the same moment (the run's head, its timers, its idempotency key), and only if this boot still owns
 * its lane. Entries are opaque bytes here: the journal knows no workflow language.
 *
 * Every adapter passes `test/conformance/journal.ts`.
 */
import type { RunId } from "../ids.ts";
import type { ShardSet } from "./shard-set.ts";

/** Where a run is in its life, as stored. */
export type RunStatus = "pending" | "running" | "waiting" | "completed" | "failed" | "cancelled" | "terminated" | "quarantined";

/** Statuses that a run never leaves. */
export const ENDED: ReadonlySet<RunStatus> = new Set(["completed", "failed", "cancelled", "terminated"]);

/**
 * Durable reasons for a run to wake up, as bits. A run that has not ended has at least one, or is quarantined; the auditor checks it.
 * Stored: the values must not change.
 */
export const WAKE = Object.freeze({
  /** Work is ready or executing: its owner must hold the run in memory and push it on. */
  ready: 1,
  /** A row in `run_timers` will wake it. */
  timer: 2,
  /** It waits for a signal of a name that it knows. */
  signal: 4,
});

/** The columns of a run's row that change while it lives. Written only when one of them changes. */
export interface RunHead {
  readonly status: RunStatus;
  /** Bits of {@link WAKE}; 0 when ended. */
  readonly wake: number;
  /** Why it failed, was cancelled or is quarantined. */
  readonly errorMessage?: string;
  /** When it ended, milliseconds since the epoch. */
  readonly endedAtMs?: number;
}

/** The columns of a run's row that never change. */
export interface NewRun {
  readonly workflowId: string;
  readonly userId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** With a key: the write fails with IDEMPOTENCY_KEY_REUSED, whose fact `runId` names the run, if the key is taken. */
  readonly idempotencyKey?: string;
}

/** A durable timer: a row that wakes its run at or after a time. */
export interface RunTimer {
  readonly runId: RunId;
  /** Number of the timer in its run, from 1. */
  readonly timer: number;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
}

/** A payload that an entry refers to instead of holding it. */
export interface RunPayload {
  /** Number of the entry, which the same write or an earlier one commits. */
  readonly seq: number;
  /** The payload's place in its entry, from 0 to 32,767: whatever tells it from others there. */
  readonly place: number;
  readonly bytes: Uint8Array;
  /** Set by the journal, not by callers: the object that holds the bytes, which are empty then. */
  readonly objectName?: string;
}

/** Everything that one run commits at once. All of it or nothing. */
export interface RunWrite {
  readonly runId: RunId;
  /** Sequence number of the first of `entries`, counted from 1. */
  readonly firstSeq: number;
  /** How many entries the bytes hold; 0 for a write that only changes the head. */
  readonly entryCount: number;
  /** An encoded `maestro.journal.v1.JournalRow`. Writes of one run that share a commit are joined into one row. */
  readonly entries: Uint8Array;
  /** Present on a run's first write, together with `head`. */
  readonly create?: NewRun;
  readonly head?: RunHead;
  /** The run's state after the last of `entries`, encoded: what {@link Journal.readSnapshot} answers later. */
  readonly snapshot?: Uint8Array;
  /** Large parts of the entries, kept apart so that rows stay short. The largest are stored as objects, before the write is queued. */
  readonly payloads?: readonly RunPayload[];
  readonly timersSet?: readonly RunTimer[];
  readonly timersCleared?: readonly RunTimer[];
  /**
   * True for a write of a run that exists and has to get on (the result of a task, a timer): it is queued however many wait, because refusing
   * it would not make the work go away. There are no more of them than the runs in memory have under way. Absent for new runs and for what is
   * asked from outside: that is refused when the queue is full.
   */
  readonly essential?: boolean;
}

/** What waits in the journal's queues. */
export interface JournalPressure {
  readonly queuedWrites: number;
  readonly queuedBytes: number;
  /** True if a lane takes nothing but essential writes now. Whoever admits new runs should refuse them before doing any work. */
  readonly isFull: boolean;
}

/** One stored row of a run's history. */
export interface JournalRow {
  readonly firstSeq: number;
  readonly entries: Uint8Array;
}

/** A run's state at a point of its history. */
export interface Snapshot {
  /** Number of the last entry that the state contains. */
  readonly seq: number;
  readonly state: Uint8Array;
}

/** What the store said, as it read a run, of the boot that asked: it owns the run's shard; it does not; or another boot took over. */
export type Standing = "owner" | "moved" | "fenced";

/** What a run is read back from: its newest snapshot, and the rows after it. */
export interface RunTail {
  /** True of the same moment as the rest: who is not the owner reads what is there, and must not act on it. */
  readonly standing: Standing;
  /** Absent if there is none that is intact. */
  readonly snapshot?: Snapshot;
  /** From the row that holds the entry after the snapshot, or the first entry; as many as one reading brings, maybe none. */
  readonly rows: readonly JournalRow[];
  /** True if nothing follows. Else: go on with {@link Journal.read}. */
  readonly isWhole: boolean;
}

/** A run's row as stored. */
export interface RunRecord extends RunHead {
  readonly runId: RunId;
  readonly workflowId: string;
  readonly userId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

/** Which runs a list shows. Absent means all. */
export interface RunFilter {
  readonly workflowIds?: readonly string[];
  readonly statuses?: readonly RunStatus[];
  /** Milliseconds since the epoch, included. */
  readonly createdAfterMs?: number;
  /** Milliseconds since the epoch, excluded. */
  readonly createdBeforeMs?: number;
}

/** Runs of one kind that an audit names at most. */
export const AUDIT_FINDINGS = 100;
/** Runs that wait for timers that one audit looks at: about 50 ms of work for the store. */
export const TIMED_PER_AUDIT = 10_000;

/** What the wake-up auditor found in the store: runs that have not ended and that nothing will ever wake. */
export interface WakeAudit {
  /** Runs that have no reason at all, or whose timer is overdue (at most 100 each), and those of the page that wait for a timer that is not there. */
  readonly withoutWake: readonly RunId[];
  /** Where the next audit has to go on with the runs that wait for timers; absent after the last page: it begins anew then. */
  readonly next?: RunId;
  /** Runs whose reason is work in memory; the node compares them with what it holds. At most `limit`, oldest first. */
  readonly ready: readonly RunId[];
}

/** The journal of one boot. */
export interface Journal {
  /**
   * Queues a write; the promise settles after the commit that holds it. Writes of one run are committed in the order of their calls.
   * While the store can't be reached the write waits; it is never given up while this boot owns its lane.
   *
   * After a write was refused, for whatever reason, every write of its run that begins behind it is refused with the same error, until one
   * comes that begins where it did or before: so no history gets a gap, however late the run's actor hears of it. Writes of the head alone pass,
   * unless it was the run's first write. To go on after a refusal: `flush`, read the run, append.
   *
   * @throws SHARD_MOVED this boot does not hold the run's shard now: nothing was stored. It is forgotten when the shard was acquired anew.
   * @throws JOURNAL_FENCED another boot took over: nothing of this write was stored, and this boot must stop.
   * @throws IDEMPOTENCY_KEY_REUSED the key belongs to the run in the fact `runId`; nothing of this write was stored.
   * @throws JOURNAL_OVERLOADED the queue is full and the write is not essential; nothing was queued.
   * @throws RUN_EXISTS the run that was to be created is there; nothing of this write was stored. This refusal does not touch what is written later.
   * @throws JOURNAL_REJECTED the store refused this write for what is in it; others of its batch were committed.
   */
  append(write: RunWrite): Promise<void>;
  /** Rows of a run's history, from the row that holds `fromSeq`, in order. Checksums are verified. @throws JOURNAL_CORRUPT */
  read(runId: RunId, fromSeq: number, rowLimit: number): Promise<readonly JournalRow[]>;
  /** The newest snapshot of a run that contains no entry after `atMostSeq`, or undefined. One that is damaged is passed over. */
  readSnapshot(runId: RunId, atMostSeq: number): Promise<Snapshot | undefined>;
  /**
   * What the state of a run is read back from, by its owner and by others. Many readings at a time share queries, which are bounded in bytes.
   * @throws JOURNAL_CORRUPT
   */
  readTail(runId: RunId): Promise<RunTail>;
  /** How this boot stands to a run now: for whoever needed more readings than {@link readTail}'s, which are of earlier moments. Costs as much as that one. */
  standing(runId: RunId): Promise<Standing>;
  /** A payload of a run. @throws JOURNAL_CORRUPT it is missing or damaged. */
  readPayload(runId: RunId, seq: number, place: number): Promise<Uint8Array>;
  /** The run's row, or undefined. Many readings at a time share queries. */
  find(runId: RunId): Promise<RunRecord | undefined>;
  /** The run that owns an idempotency key, or undefined. */
  findByKey(idempotencyKey: string): Promise<RunId | undefined>;
  /** Runs that match, newest (largest id) first, after the run `after` if given. */
  list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]>;
  /** Ids of runs on `shards` that have work ready, in order of id, after the run `after` if given. For recovery. */
  listReady(shards: ShardSet, limit: number, after?: RunId): Promise<readonly RunId[]>;
  /**
   * Timers on `shards` due before a time, in order of due time, run and number, after the timer `after` if given. Those of quarantined runs
   * are left out: nobody could take them.
   */
  listTimers(shards: ShardSet, dueBeforeMs: number, limit: number, after?: RunTimer): Promise<readonly RunTimer[]>;
  /**
   * See {@link WakeAudit}. `graceMs`: runs changed more recently than this are left out, and timers overdue by less are no finding.
   * Of the runs that wait for timers one page is looked at, of `limit` or {@link TIMED_PER_AUDIT} runs, whichever is less, after the run
   * `after`: pass the last audit's `next`, and all have their turn.
   */
  audit(shards: ShardSet, graceMs: number, limit: number, after?: RunId): Promise<WakeAudit>;
  /** What waits now. Costs nothing worth mentioning. */
  pressure(): JournalPressure;
  /** Resolves when every write queued so far is committed or has failed. */
  flush(): Promise<void>;
  /** Flushes, then gives up its connections. */
  close(): Promise<void>;
}

/** Smaller than every run id. */
export const NIL_RUN_ID = "00000000-0000-0000-0000-000000000000" as RunId;
