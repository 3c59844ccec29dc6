/**
 * The port of the object store: payloads too large for a row of a table. Objects belong to a run, are named by their content, and are never
 * changed; they go when their run goes. What refers to an object is committed after it was stored, so an object may be orphaned, but never
 * missing.
 *
 * Every adapter passes `test/conformance/object-store.ts`.
 */
import { createHash } from "node:crypto";
import type { RunId } from "../ids.ts";

/** The object store. */
export interface ObjectStore {
  /** Stores bytes durably, and answers the name by which they are read: {@link objectName}. Storing them again changes nothing. @throws OBJECT_NOT_STORED */
  put(runId: RunId, bytes: Uint8Array): Promise<string>;
  /** The bytes, or undefined if there is no such object or it is not what its name says. */
  get(runId: RunId, name: string): Promise<Uint8Array | undefined>;
  /** Removes all objects of a run. */
  removeRun(runId: RunId): Promise<void>;
}

/** The name of an object: the SHA-256 of its bytes, as 64 hexadecimal digits. A disk format: it must not change. */
export function objectName(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
