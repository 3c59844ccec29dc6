/**
 * A journal made of writer lanes and a reader. Owns which lane a run belongs to; that never changes while the journal is open, because it
 * gives a run's writes their order.
 */
import { invariant } from "../assert.ts";
import type { EventHub } from "../events.ts";
import { type BootId, type RunId, shardOf } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { BatchedReads } from "./batched-reads.ts";
import type { HeldShards } from "./held-shards.ts";
import type { Journal, JournalPressure, RunFilter, RunRecord, RunTail, RunTimer, RunWrite, Snapshot, Standing } from "./journal.ts";
import { type Lane, shardMoved } from "./lane.ts";
import type { LargePayloads } from "./large-payloads.ts";
import type { ShardSet } from "./shard-set.ts";
import { isSnapshotIntact, type StoredPayload, type StoredSnapshot, type StoredTail, tailOf } from "./stored-rows.ts";

/** Queries for rows of runs, and for their tails, at a time: while one is answered, the other is read. */
const FIND_QUERIES = 1;
const TAIL_QUERIES = 2;

/** What a journal is made of. */
export interface LanedJournalOptions {
  /** Whose journal it is. */
  readonly bootId: BootId;
  readonly lanes: readonly Lane[];
  /** The shards whose runs may be written, at each moment. */
  readonly held: HeldShards;
  readonly reader: JournalReader;
  readonly large: LargePayloads;
  readonly events: EventHub;
  /** Calls back after the current tick. */
  readonly defer: (callback: () => void) => void;
}

/** The reading half of a {@link Journal}. */
export interface JournalReader extends Pick<Journal, "read" | "findByKey" | "list" | "listReady" | "listTimers" | "audit"> {
  /** The rows of those of these runs that exist. */
  findAll(runIds: readonly RunId[]): Promise<ReadonlyMap<RunId, RunRecord>>;
  /**
   * The tails of all these runs as `tailOf` takes them, not judged yet, and how the boot stood to each of them in the same moment. Of all of them
   * together at most `LIMITS.tailBytesPerQuery` bytes: those that would follow come without their bytes.
   */
  readTails(runIds: readonly RunId[], bootId: BootId): Promise<ReadonlyMap<RunId, StoredTail>>;
  /** Snapshots of a run that contain no entry after `atMostSeq`, the newest first: the latest few, not judged yet. */
  readSnapshots(runId: RunId, atMostSeq: number): Promise<readonly StoredSnapshot[]>;
  /** A payload's row, not judged yet, or undefined. */
  findPayload(runId: RunId, seq: number, place: number): Promise<StoredPayload | undefined>;
  /** Gives its connections up. */
  close(): Promise<void>;
}

/** The journal. */
export class LanedJournal implements Journal {
  readonly #lanes: readonly Lane[];
  readonly #held: HeldShards;
  readonly #reader: JournalReader;
  readonly #large: LargePayloads;
  readonly #events: EventHub;
  readonly #heads: BatchedReads<RunId, RunRecord>;
  readonly #tails: BatchedReads<RunId, StoredTail>;

  constructor({ bootId, lanes, held, reader, large, events, defer }: LanedJournalOptions) {
    invariant(lanes.length > 0, "a journal needs a lane");
    this.#lanes = lanes;
    this.#held = held;
    this.#reader = reader;
    this.#large = large;
    this.#events = events;
    const shared = { keysPerQuery: LIMITS.tailsPerQuery, defer };
    this.#heads = new BatchedReads({ ...shared, queries: FIND_QUERIES, ask: (runIds) => reader.findAll(runIds) });
    this.#tails = new BatchedReads({ ...shared, queries: TAIL_QUERIES, ask: (runIds) => reader.readTails(runIds, bootId) });
  }

  append(write: RunWrite): Promise<void> {
    invariant(write.create === undefined || write.head !== undefined, "a run is created together with its head");
    const shard = shardOf(write.runId);
    const lane = this.#lanes[shard % this.#lanes.length];
    invariant(lane !== undefined, "every run has a lane");
    if (!this.#held.holds(shard)) return Promise.reject(shardMoved(shard));
    return this.#large.append(write, lane);
  }

  pressure(): JournalPressure {
    const lanes = this.#lanes.map((lane) => lane.pressure());
    return {
      queuedWrites: lanes.reduce((sum, lane) => sum + lane.queuedWrites, 0),
      queuedBytes: lanes.reduce((sum, lane) => sum + lane.queuedBytes, this.#large.waitingBytes),
      isFull: this.#large.isFull || lanes.some((lane) => lane.isFull),
    };
  }

  read(runId: RunId, fromSeq: number, rowLimit: number): ReturnType<Journal["read"]> {
    return this.#reader.read(runId, fromSeq, rowLimit);
  }

  async readSnapshot(runId: RunId, atMostSeq: number): Promise<Snapshot | undefined> {
    for (const snapshot of await this.#reader.readSnapshots(runId, atMostSeq)) {
      if (isSnapshotIntact(runId, snapshot)) return snapshot;
      this.#events.emit("journal.snapshotRefused", { runId, seq: snapshot.seq, reason: "checksum" });
    }
    return undefined;
  }

  async readTail(runId: RunId): Promise<RunTail> {
    const stored = await this.#storedTail(runId);
    const tail = tailOf(runId, stored);
    if (tail !== undefined) return tail;
    const snapshot = await this.readSnapshot(runId, Number.MAX_SAFE_INTEGER);
    return { standing: stored.standing, ...(snapshot && { snapshot }), rows: [], isWhole: false };
  }

  async standing(runId: RunId): Promise<Standing> {
    return (await this.#storedTail(runId)).standing;
  }

  async readPayload(runId: RunId, seq: number, place: number): Promise<Uint8Array> {
    return this.#large.read(runId, seq, place, await this.#reader.findPayload(runId, seq, place));
  }

  find(runId: RunId): ReturnType<Journal["find"]> {
    return this.#heads.get(runId);
  }

  findByKey(idempotencyKey: string): ReturnType<Journal["findByKey"]> {
    return this.#reader.findByKey(idempotencyKey);
  }

  list(filter: RunFilter, limit: number, after?: RunId): ReturnType<Journal["list"]> {
    return this.#reader.list(filter, limit, after);
  }

  listReady(shards: ShardSet, limit: number, after?: RunId): ReturnType<Journal["listReady"]> {
    return this.#reader.listReady(shards, limit, after);
  }

  listTimers(shards: ShardSet, dueBeforeMs: number, limit: number, after?: RunTimer): ReturnType<Journal["listTimers"]> {
    return this.#reader.listTimers(shards, dueBeforeMs, limit, after);
  }

  audit(shards: ShardSet, graceMs: number, limit: number, after?: RunId): ReturnType<Journal["audit"]> {
    return this.#reader.audit(shards, graceMs, limit, after);
  }

  async #storedTail(runId: RunId): Promise<StoredTail> {
    const stored = await this.#tails.get(runId);
    invariant(stored !== undefined, "a reading of tails answers for every run");
    return stored;
  }

  async flush(): Promise<void> {
    await this.#large.flush();
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
  }

  async close(): Promise<void> {
    await this.#large.flush();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    await this.#reader.close();
  }
}
