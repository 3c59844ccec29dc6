/**
 * The port of the task ledger: a table of task attempts for operators' queries. It is written in bulk, at most a second behind, and can be
 * rebuilt from the journal: nothing reads it to decide anything.
 */
import type { RunId } from "../ids.ts";

/** Where an attempt is. */
export type AttemptStatus = "scheduled" | "completed" | "failed" | "cancelled";

/** One attempt of a task. Its end replaces the record of its beginning, and is noted once. */
export interface AttemptRecord {
  readonly runId: RunId;
  /** Number of the task's frame in its run. */
  readonly frame: number;
  readonly attempt: number;
  /** Path of the task in its document. */
  readonly path: string;
  readonly handler: string;
  readonly status: AttemptStatus;
  /** When it was scheduled, milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly endedAtMs?: number | undefined;
  readonly errorMessage?: string | undefined;
}

/** The ledger. */
export interface TaskLedger {
  /** Notes an attempt; it is stored within a second. Never throws: what can't be stored is counted and dropped. */
  record(attempt: AttemptRecord): void;
  /** Resolves when everything noted so far is stored. */
  flush(): Promise<void>;
  /** Flushes, then stops. */
  close(): Promise<void>;
}
