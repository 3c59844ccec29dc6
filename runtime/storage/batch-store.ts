/**
 * The port between a writer lane and the store that it writes to: commits whole batches, and answers what a lane must know when a batch
 * was refused or its outcome is unknown. The lane decides; an adapter only does and tells.
 */
import type { RunId } from "../ids.ts";
import type { Batch } from "./batch.ts";

/** What became of a batch. */
export type Outcome =
  | { readonly kind: "committed" }
  /** Nothing was stored: another boot took over. */
  | { readonly kind: "fenced" }
  /** Nothing was stored, for what is in the batch. `isDuplicate`: something of it is in the store already. */
  | { readonly kind: "refused"; readonly reason: string; readonly isDuplicate: boolean }
  /** It may be stored or not. */
  | { readonly kind: "unknown"; readonly reason: string };

/** What in the store a refused batch collides with. */
export type Collision =
  /** The very same rows are there: the batch was committed before. */
  | { readonly kind: "committed" }
  /** Idempotency keys belong to other runs. `owners` names, by run of the batch, the run that owns its key. */
  | { readonly kind: "keysTaken"; readonly owners: ReadonlyMap<RunId, RunId> }
  /** Something else. */
  | { readonly kind: "other" };

/** The store as one lane sees it. Calls never overlap. */
export interface BatchStore {
  /** Commits the batch, atomically and durably, if the lane is not fenced. Never throws. */
  commit(batch: Batch): Promise<Outcome>;
  /**
   * Whether a batch of unknown outcome is in the store. The answer is final: what was sent before can't arrive any more. A batch that
   * leaves no trace of its own (heads and cleared timers only) is answered "no": committing it again changes nothing. Throws if the store
   * can't be asked.
   */
  holds(batch: Batch): Promise<boolean>;
  /** What a refused batch collides with. Throws if the store can't be asked. */
  findCollision(batch: Batch): Promise<Collision>;
  /** Gives the connection up. */
  close(): Promise<void>;
}
