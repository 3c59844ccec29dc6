/**
 * The database of a simulated world: the tables in memory, and a server before them that stands still, breaks its connections, and goes away for a
 * while. It tells of every commit as it happens.
 */
import type { BootId, RunId } from "../../runtime/ids.ts";
import { shardOf } from "../../runtime/ids.ts";
import type { Batch } from "../../runtime/storage/batch.ts";
import { MemoryEventCheckpoints } from "../../runtime/storage/memory-event-checkpoints.ts";
import { MemoryJournalReader } from "../../runtime/storage/memory-journal-reader.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import type { WorldTime } from "./world-time.ts";

/** A row that was committed. */
export interface CommittedRow {
  readonly bootId: BootId;
  readonly runId: RunId;
  readonly firstSeq: number;
  readonly entryCount: number;
  /** As it was written. */
  readonly epoch: number;
  /** As the table had it in that moment. */
  readonly table: { readonly owner: BootId | undefined; readonly epoch: number; readonly isFenced: boolean };
  /** True time, milliseconds since the epoch. */
  readonly atMs: number;
}

/** The database. */
export class Database {
  readonly memory: MemoryStore;
  readonly ownership: MemoryOwnership;
  readonly checkpoints: MemoryEventCheckpoints;
  readonly reader: MemoryJournalReader;
  readonly taskSlots: MemoryTaskSlots;
  /** Every row, in the order of the commits. */
  readonly committed: CommittedRow[] = [];
  readonly #time: WorldTime;
  readonly #connections = new Set<() => void>();
  #upFromMs = 0;
  #movesFromMs = 0;

  constructor(time: WorldTime) {
    this.#time = time;
    this.memory = new MemoryStore(time);
    this.ownership = new MemoryOwnership(this.memory);
    this.checkpoints = new MemoryEventCheckpoints(this.memory);
    this.reader = new MemoryJournalReader(this.memory);
    this.taskSlots = new MemoryTaskSlots(this.memory);
  }

  /** True if it takes connections. */
  get isUp(): boolean {
    return this.#time.monotonic() >= this.#upFromMs;
  }

  /** Calls back when the server's connections break, until the returned function is called. */
  onBreak(callback: () => void): () => void {
    this.#connections.add(callback);
    return () => void this.#connections.delete(callback);
  }

  /** Calls back now, or when the server moves again. */
  whenMoving(callback: () => void): void {
    const waitMs = this.#movesFromMs - this.#time.monotonic();
    if (waitMs <= 0) callback();
    else this.#time.schedule(waitMs, () => this.whenMoving(callback));
  }

  /** Does nothing for a time, and tells nobody. */
  stall(durationMs: number): void {
    this.#movesFromMs = this.#time.monotonic() + durationMs;
  }

  /** Goes away for a time with all connections; what is committed stays. */
  failOver(durationMs: number): void {
    this.#upFromMs = this.#time.monotonic() + durationMs;
    for (const broken of [...this.#connections]) broken();
  }

  /** Is there, and moves. */
  heal(): void {
    this.#upFromMs = 0;
    this.#movesFromMs = 0;
  }

  /** A batch of a boot was committed in this moment. */
  noteCommit(bootId: BootId, batch: Batch): void {
    for (const { runId, firstSeq, entryCount } of batch.rows) {
      const shard = this.memory.shards.get(shardOf(runId));
      const row = this.memory.rows.get(runId)?.find((stored) => stored.firstSeq === firstSeq);
      const isFenced = this.memory.nodes.get(bootId)?.isFenced !== false;
      const table = { owner: shard?.owner, epoch: shard?.epoch ?? 0, isFenced };
      this.committed.push({ bootId, runId, firstSeq, entryCount, epoch: row?.epoch ?? 0, table, atMs: this.#time.now() });
    }
  }
}
