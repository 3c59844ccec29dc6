/**
 * The checksum of a journal row: CRC-32 over what the row is (run, sequence number, count) and what it holds. A row that was altered, cut
 * or filed under another key is noticed when it is read. A disk format: it must not change.
 */
import { crc32 } from "node:zlib";
import type { RunId } from "../ids.ts";

/** The checksum as a signed 32-bit integer, which is what the column holds. `parts` are the row's bytes, in pieces. */
export function journalChecksum(runId: RunId, firstSeq: number, entryCount: number, parts: readonly Uint8Array[]): number {
  let crc = crc32(`${runId}/${firstSeq}/${entryCount}`);
  for (const part of parts) crc = crc32(part, crc);
  return crc | 0;
}
