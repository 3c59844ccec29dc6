/**
 * A journal made of writer lanes and a reader. Owns which lane a run belongs to; that never changes while the journal is open, because it
 * gives a run's writes their order.
 */
import { invariant } from "../assert.ts";
import { type RunId, shardOf } from "../ids.ts";
import type { Journal, JournalPressure, RunFilter, RunTimer, RunWrite, ShardRange } from "./journal.ts";
import type { Lane } from "./lane.ts";
import type { LargePayloads } from "./large-payloads.ts";
import type { StoredPayload } from "./stored-rows.ts";

/** The reading half of a {@link Journal}. */
export interface JournalReader extends Pick<Journal, "read" | "readSnapshot" | "find" | "findByKey" | "list" | "listReady" | "listTimers" | "audit"> {
  /** A payload's row, not judged yet, or undefined. */
  findPayload(runId: RunId, seq: number, place: number): Promise<StoredPayload | undefined>;
  /** Gives its connections up. */
  close(): Promise<void>;
}

/** The journal. */
export class LanedJournal implements Journal {
  readonly #lanes: readonly Lane[];
  readonly #reader: JournalReader;
  readonly #large: LargePayloads;

  constructor(lanes: readonly Lane[], reader: JournalReader, large: LargePayloads) {
    invariant(lanes.length > 0, "a journal needs a lane");
    this.#lanes = lanes;
    this.#reader = reader;
    this.#large = large;
  }

  append(write: RunWrite): Promise<void> {
    invariant(write.create === undefined || write.head !== undefined, "a run is created together with its head");
    const lane = this.#lanes[shardOf(write.runId) % this.#lanes.length];
    invariant(lane !== undefined, "every run has a lane");
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

  readSnapshot(runId: RunId, atMostSeq: number): ReturnType<Journal["readSnapshot"]> {
    return this.#reader.readSnapshot(runId, atMostSeq);
  }

  async readPayload(runId: RunId, seq: number, place: number): Promise<Uint8Array> {
    return this.#large.read(runId, seq, place, await this.#reader.findPayload(runId, seq, place));
  }

  find(runId: RunId): ReturnType<Journal["find"]> {
    return this.#reader.find(runId);
  }

  findByKey(idempotencyKey: string): ReturnType<Journal["findByKey"]> {
    return this.#reader.findByKey(idempotencyKey);
  }

  list(filter: RunFilter, limit: number, after?: RunId): ReturnType<Journal["list"]> {
    return this.#reader.list(filter, limit, after);
  }

  listReady(shards: ShardRange, limit: number, after?: RunId): ReturnType<Journal["listReady"]> {
    return this.#reader.listReady(shards, limit, after);
  }

  listTimers(shards: ShardRange, dueBeforeMs: number, limit: number, after?: RunTimer): ReturnType<Journal["listTimers"]> {
    return this.#reader.listTimers(shards, dueBeforeMs, limit, after);
  }

  audit(shards: ShardRange, graceMs: number, limit: number, after?: RunId): ReturnType<Journal["audit"]> {
    return this.#reader.audit(shards, graceMs, limit, after);
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
