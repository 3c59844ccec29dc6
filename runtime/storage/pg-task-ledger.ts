/**
 * The task ledger in PostgreSQL: bulk upserts on a connection of its own, without waiting for the disk, at most a second behind. Nothing
 * depends on it: what does not fit in the buffer while the server is away is counted and dropped.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { LIMITS } from "../limits.ts";
import { AttemptBuffer } from "./attempt-buffer.ts";
import { int4Array, storable, textArray, timestamptzArray, uuidArray } from "./pg-array.ts";
import { blamesData, failureOf } from "./pg-connection.ts";
import { PgDatabase } from "./pg-database.ts";
import type { AttemptRecord, TaskLedger } from "./task-ledger.ts";

/** What it is made from. */
export interface PgTaskLedgerOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly events: EventHub;
}

/** Opens the ledger; it connects at the first flush. */
export async function openPgTaskLedger(options: PgTaskLedgerOptions): Promise<PgTaskLedger> {
  return new PgTaskLedger(options);
}

/** Milliseconds between the first record of a bulk and its flush: the most that the table is behind. */
const FLUSH_MS = 1_000;
/** Records in one statement. */
const BULK_RECORDS = 1_000;

const UPSERT = `INSERT INTO task_executions AS t (run_id, frame, attempt, path, handler, status, created_at, ended_at, error_message)
  SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[])
  ON CONFLICT (run_id, frame, attempt) DO UPDATE
    SET status = excluded.status, ended_at = excluded.ended_at, error_message = excluded.error_message`;

/** The ledger. */
class PgTaskLedger implements TaskLedger {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #database: PgDatabase;
  readonly #buffer = new AttemptBuffer(LIMITS.ledgerRecords);
  #cancelTimer: CancelTimer | undefined;
  #flushing: Promise<boolean> = Promise.resolve(true);
  #isClosed = false;

  constructor({ url, clock, events }: PgTaskLedgerOptions) {
    this.#clock = clock;
    this.#events = events;
    this.#database = new PgDatabase({ url, applicationName: "maestro-task-ledger", size: 1, synchronousCommit: false });
  }

  /** Records that were dropped since the ledger was opened. */
  get dropped(): number {
    return this.#buffer.dropped;
  }

  record(attempt: AttemptRecord): void {
    this.#buffer.add(attempt);
    this.#arm();
  }

  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // One flush at a time; each begins where the previous one ended.
    this.#flushing = this.#flushing.then(() => this.#storeAll());
    if (!(await this.#flushing)) this.#arm();
  }

  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#database.close();
  }

  #arm(): void {
    if (this.#isClosed || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#clock.schedule(FLUSH_MS, () => void this.flush());
  }

  /** Stores what waits. Answers false if the server took it not; it is tried again later. */
  async #storeAll(): Promise<boolean> {
    while (this.#buffer.size > 0) {
      const bulk = this.#buffer.take(BULK_RECORDS);
      try {
        await this.#database.query(UPSERT, columnsOf(bulk));
      } catch (error) {
        const isHopeless = blamesData(failureOf(error));
        if (isHopeless) this.#buffer.drop(bulk.length);
        else this.#buffer.putBack(bulk);
        this.#events.emit("ledger.delayed", { records: this.#buffer.size, dropped: this.#buffer.dropped, reason: messageOf(error) });
        if (!isHopeless) return false;
      }
    }
    return true;
  }
}

function columnsOf(bulk: readonly AttemptRecord[]): readonly Buffer[] {
  return [
    uuidArray(bulk.map((record) => record.runId)),
    int4Array(bulk.map((record) => record.frame)),
    int4Array(bulk.map((record) => record.attempt)),
    textArray(bulk.map((record) => record.path)),
    textArray(bulk.map((record) => record.handler)),
    textArray(bulk.map((record) => record.status)),
    timestamptzArray(bulk.map((record) => record.createdAtMs)),
    timestamptzArray(bulk.map((record) => record.endedAtMs)),
    textArray(bulk.map((record) => storable(record.errorMessage))),
  ];
}
