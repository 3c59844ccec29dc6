/**
 * A workflow document that was read: its JSON value, and where the parts of it stand in its text. Places are asked for only if something is wrong, and
 * then all at once: reading a large document again, in a thread of its own, is what it may take to find them.
 */
import type { Json } from "../json.ts";
import type { Position } from "./violations.ts";

/** A document. */
export interface SourceDocument {
  readonly value: Json;
  /** Where the parts that JSON pointers name stand, in the same order. */
  positions(pointers: readonly string[]): Promise<readonly Position[]>;
}

/** Reads large documents without blocking. */
export interface LargeDocuments {
  /** A document of at most `LIMITS.documentBytes`. @throws DOCUMENT_INVALID with all violations, MAILBOX_FULL too many wait, NODE_STOPPING */
  read(text: string): Promise<SourceDocument>;
}
