/**
 * The journal in PostgreSQL: group commit over a few writer lanes, and a small pool for reading. Owns which lane a run belongs to; that
 * never changes while the journal is open, because it gives a run's writes their order.
 *
 * The connections must be direct, or through a pooler in session mode: lanes rely on session settings, prepared statements and a lock.
 */
import { invariant } from "../assert.ts";
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { type BootId, type RunId, shardOf } from "../ids.ts";
import type { Random } from "../random.ts";
import type { Journal, RunFilter, RunWrite, ShardRange } from "./journal.ts";
import type { Claim } from "./ownership.ts";
import { PgDatabase } from "./pg-database.ts";
import { PgJournalReader } from "./pg-journal-reader.ts";
import { PgLane } from "./pg-lane.ts";
import { LaneConnection } from "./pg-lane-connection.ts";
import { BatchStatements, type FenceLock } from "./pg-statement.ts";

/** What the journal is made from. */
export interface PgJournalOptions {
  readonly url: string;
  readonly bootId: BootId;
  /** What this boot owns; see {@link Ownership.claim}. */
  readonly claim: Claim;
  /** Number of writer lanes: as claimed. */
  readonly lanes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Calls back after the current tick. Default: `setImmediate`. */
  readonly defer?: (callback: () => void) => void;
  /** For the test of the fence only. */
  readonly fenceLock?: FenceLock;
}

/** Opens the journal of a boot that claimed its shards. The lanes connect at their first write. */
export async function openPgJournal(options: PgJournalOptions): Promise<Journal> {
  invariant(options.lanes > 0, "a journal needs a lane");
  return new PgJournal(options);
}

class PgJournal implements Journal {
  readonly #lanes: readonly PgLane[];
  readonly #database: PgDatabase;
  readonly #reader: PgJournalReader;

  constructor(options: PgJournalOptions) {
    const { url, bootId, claim, clock, random, events, fenceLock, defer = setImmediate } = options;
    this.#lanes = Array.from({ length: options.lanes }, (_, lane) => {
      const connection = new LaneConnection({ url, bootId, lane, clock });
      return new PgLane({ lane, connection, statements: new BatchStatements(bootId, lane, claim, fenceLock), clock, random, events, defer });
    });
    this.#database = new PgDatabase({ url, applicationName: `maestro-read-${bootId}`, size: 4 });
    this.#reader = new PgJournalReader(this.#database);
  }

  append(write: RunWrite): Promise<void> {
    invariant(write.create === undefined || write.head !== undefined, "a run is created together with its head");
    const lane = this.#lanes[shardOf(write.runId) % this.#lanes.length];
    invariant(lane !== undefined, "every run has a lane");
    return lane.append(write);
  }

  read(runId: RunId, fromSeq: number, rowLimit: number): ReturnType<Journal["read"]> {
    return this.#reader.read(runId, fromSeq, rowLimit);
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

  listTimers(shards: ShardRange, dueBeforeMs: number, limit: number): ReturnType<Journal["listTimers"]> {
    return this.#reader.listTimers(shards, dueBeforeMs, limit);
  }

  audit(shards: ShardRange, graceMs: number, limit: number): ReturnType<Journal["audit"]> {
    return this.#reader.audit(shards, graceMs, limit);
  }

  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flush()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
    await this.#database.close();
  }
}
