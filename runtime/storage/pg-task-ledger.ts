/**
 * The task ledger in PostgreSQL: bulk statements on a connection of its own, without waiting for the disk, at most a second behind. Nothing
 * depends on it: what does not fit in the buffer while the server is away is counted and dropped.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { AttemptBuffer } from "./attempt-buffer.ts";
import { int4Array, storable, textArray, timestamptzArray, uuidArray } from "./pg-array.ts";
import { blamesData, failureOf } from "./pg-connection.ts";
import { PgDatabase } from "./pg-database.ts";
import type { AttemptRecord, TaskLedger } from "./task-ledger.ts";

/** What it is made from. */
export interface PgTaskLedgerOptions {
  readonly url: string;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly events: EventHub;
}

/** Opens the ledger; it connects at the first flush. */
export async function openPgTaskLedger({ url, bootId, clock, events }: PgTaskLedgerOptions): Promise<PgTaskLedger> {
  const applicationName = `maestro-task-ledger-${bootId}`;
  const database = new PgDatabase({ url, applicationName, size: 1, synchronousCommit: false, events });
  return new PgTaskLedger({ database, applicationName, clock, events });
}

/** Milliseconds between the first record of a bulk and its flush: the most that the table is behind. */
const FLUSH_MS = 1_000;
/** Records in one statement. */
const BULK_RECORDS = 1_000;

const COLUMNS = "run_id, frame, attempt, path, handler, status, created_at, ended_at, error_message";
const TYPES = ["uuid", "integer", "integer", "text", "text", "text", "timestamptz", "timestamptz", "text"];
/** Rows from one array for each column. Not in FROM, for the reason that is told in `pg-statement.ts`. */
const RECORDS = `(SELECT ${TYPES.map((type, index) => `unnest($${index + 1}::${type}[])`).join(", ")})`;

/**
 * A record changes the row of its attempt that is still open, if there is one, and is a new row otherwise. It is phrased so that there is one plan
 * for it, whatever the table's size and statistics: each record costs a look into the index of open attempts, and the rows are taken from their
 * places. A join by the places alone read the whole table as long as it was small.
 */
const STORE = `WITH noted AS MATERIALIZED (
    SELECT x.*, (SELECT t.ctid FROM task_executions AS t
      WHERE t.run_id = x.run_id AND t.frame = x.frame AND t.attempt = x.attempt AND t.status = 'scheduled') AS place
    FROM ${RECORDS} AS x (${COLUMNS})),
  changed AS (UPDATE task_executions AS t SET status = n.status, ended_at = n.ended_at, error_message = n.error_message
    FROM noted AS n WHERE t.ctid = n.place AND t.ctid = ANY (ARRAY(SELECT place FROM noted WHERE place IS NOT NULL)))
  INSERT INTO task_executions (${COLUMNS}) SELECT ${COLUMNS} FROM noted AS n WHERE n.place IS NULL`;

/** The same, if some of the records may be stored already. Half as dear again, so it is the exception. */
const STORE_AGAIN = `${STORE} AND NOT EXISTS (SELECT FROM task_executions AS t
  WHERE t.status = n.status AND t.created_at = n.created_at AND t.run_id = n.run_id AND t.frame = n.frame AND t.attempt = n.attempt)`;

/** Ends the session that a connection of this ledger left behind: what it has stored by then is final. */
const END_PREDECESSOR = "SELECT pg_terminate_backend(pid, $2) AS ended FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()";
/** Longest wait for that, in milliseconds. */
const PREDECESSOR_MS = 5_000;

/** Two nodes noted the same open attempt at the same time: the next look finds the row. */
const UNIQUE_VIOLATION = "23505";

/** `applicationName` is that of the database's connections, and of no others. */
interface PgTaskLedgerParts extends Omit<PgTaskLedgerOptions, "url" | "bootId"> {
  readonly database: PgDatabase;
  readonly applicationName: string;
}

/** Use {@link openPgTaskLedger}; the class itself is for tests. */
export class PgTaskLedger implements TaskLedger {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #database: PgDatabase;
  readonly #applicationName: string;
  readonly #buffer = new AttemptBuffer(LIMITS.ledgerRecords);
  #cancelTimer: CancelTimer | undefined;
  #flushing: Promise<boolean> = Promise.resolve(true);
  #isClosed = false;
  /** A statement failed, and nobody knows whether it was committed. */
  #isInDoubt = false;

  constructor({ database, applicationName, clock, events }: PgTaskLedgerParts) {
    this.#clock = clock;
    this.#events = events;
    this.#database = database;
    this.#applicationName = applicationName;
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

  async #store(columns: readonly Buffer[]): Promise<void> {
    if (!this.#isInDoubt) {
      await this.#database.query(STORE, columns);
      return;
    }
    await this.#database.transaction(async (query) => {
      const predecessors = await query<{ ended: boolean }>(END_PREDECESSOR, [this.#applicationName, PREDECESSOR_MS]);
      if (predecessors.some(({ ended }) => !ended))
        throw new MaestroError("TIMED_OUT", { facts: { what: "ending a session", timeoutMs: PREDECESSOR_MS } });
      await query(STORE_AGAIN, columns);
    });
  }

  /**
   * Stores what waits. Answers false if the server took it not; it is tried again later. What comes meanwhile is left for the next flush: most
   * attempts that begin now will have ended by then, and are stored once.
   */
  async #storeAll(): Promise<boolean> {
    for (let left = this.#buffer.size; left > 0; left -= BULK_RECORDS) {
      const bulk = this.#buffer.take(Math.min(left, BULK_RECORDS));
      try {
        await this.#store(columnsOf(bulk));
      } catch (error) {
        const failure = failureOf(error);
        const isHopeless = blamesData(failure) && failure.code !== UNIQUE_VIOLATION;
        this.#isInDoubt ||= !isHopeless;
        if (isHopeless) this.#buffer.drop(bulk.length);
        else this.#buffer.putBack(bulk);
        this.#events.emit("ledger.delayed", { records: this.#buffer.size, dropped: this.#buffer.dropped, reason: messageOf(error) });
        if (!isHopeless) return false;
      }
    }
    this.#isInDoubt = false;
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
