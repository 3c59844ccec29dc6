/**
 * The port of retention: removes runs that ended long ago, with all that belongs to them. Works in pages, each a short transaction, so that
 * the journal's commits are not disturbed; it may be stopped and begun anew at any time, by any node.
 *
 * Every adapter passes `test/conformance/retention.ts`.
 */
import type { RunId } from "../ids.ts";

/** What became of a page. */
export interface RetentionPage<Cursor> {
  /** How many were removed. */
  readonly removed: number;
  /** Where to go on; absent after the last page. */
  readonly next?: Cursor;
}

/** Removal of what is old. */
export interface Retention {
  /**
   * Looks at `limit` runs, the oldest first, after the run `after` if given, and removes those that ended before a time (milliseconds since
   * the epoch): history, snapshots, payloads, objects and attempts included. A run that has not ended stays, however old it is.
   */
  removeRuns(endedBeforeMs: number, limit: number, after?: RunId): Promise<RetentionPage<RunId>>;
  /**
   * Looks at `limit` idempotency keys, in their order, after the key `after` if given, and removes those whose run is gone. Until then such a
   * key still counts as used.
   */
  removeKeys(limit: number, after?: string): Promise<RetentionPage<string>>;
  /** Gives its connections up. */
  close(): Promise<void>;
}
