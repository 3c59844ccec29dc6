/**
 * Encoding on the hot path: the stubs' own `encode`, over one writer that keeps its buffer. Every commit of every run goes through here.
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type Entry, JournalRow } from "./gen/maestro/journal/v1/entry.ts";

/** Scratch, never state: empty before and after each call. */
let scratch = new BinaryWriter();

/** The bytes of entries as one `maestro.journal.v1.JournalRow`. @throws Error if a field holds what its type can't. */
export function encodeJournalRow(entries: readonly Entry[]): Uint8Array {
  const writer = scratch;
  try {
    return JournalRow.encode({ entries: entries as Entry[] }, writer).finish();
  } catch (error) {
    // What was written so far must not reach the next caller.
    scratch = new BinaryWriter();
    throw error;
  }
}
