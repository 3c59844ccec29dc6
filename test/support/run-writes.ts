/**
 * Writes of the journal for tests, short to spell. The entries are opaque bytes, as they are to the journal.
 */
import { newRunId, newUuid, type RunId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { RunHead, RunWrite } from "../../runtime/storage/journal.ts";

const random = systemRandom();

/** The workflow of {@link createWrite}, unless another is given. */
const WORKFLOW_ID = newUuid(random);

/** A run that has work. */
export const RUNNING: RunHead = { status: "running", wake: 1 };

/** A new run id. `timeMs`: when the run was created, milliseconds since the epoch. */
export function runIdOn(shard = 0, timeMs = Date.UTC(2026, 0, 1)): RunId {
  return newRunId(shard, timeMs, random);
}

/** What {@link createWrite} can be told. */
export interface CreateOptions {
  readonly key?: string;
  readonly head?: RunHead;
  readonly workflowId?: string;
}

/** A run's first write: one entry, and the run itself. */
export function createWrite(runId: RunId, { key, head = RUNNING, workflowId = WORKFLOW_ID }: CreateOptions = {}): RunWrite {
  const create = { workflowId, userId: "ada", labels: { team: "a" }, ...(key === undefined ? {} : { idempotencyKey: key }) };
  return { ...entryWrite(runId, 1), create, head };
}

/** A write of one entry, whose bytes are its number in text. */
export function entryWrite(runId: RunId, seq: number, more: Partial<RunWrite> = {}): RunWrite {
  return { runId, firstSeq: seq, entryCount: 1, entries: Buffer.from(`${seq};`), ...more };
}

/** A write that only changes the head. */
export function headWrite(runId: RunId, head: RunHead): RunWrite {
  return { runId, firstSeq: 0, entryCount: 0, entries: new Uint8Array(0), head };
}
