/**
 * Quarantined runs in the store: what the kernel parks in memory must be parked for the next node as well, or it would crash there again.
 */
import { messageOf } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import { parseRunId, type RunId } from "../../runtime/ids.ts";
import type { Journal, RunHead, RunWrite } from "../../runtime/storage/journal.ts";

/** A write that only changes what the store shows of a run. */
export function headWrite(runId: RunId, head: RunHead): RunWrite {
  return { runId, firstSeq: 0, entryCount: 0, entries: new Uint8Array(), head };
}

/** Marks runs in the store whose actors the kernel quarantines. The returned function ends it. `onFailed`: the mark could not be written. */
export function markQuarantinedRuns(
  events: EventHub,
  journal: Pick<Journal, "append">,
  onFailed: (runId: RunId, error: unknown) => void,
): () => void {
  return events.on("actor.quarantined", ({ path, error }) => {
    const runId = parseRunId(path.slice(path.lastIndexOf("/") + 1));
    if (runId === undefined) return;
    const head: RunHead = { status: "quarantined", wake: 0, errorMessage: messageOf(error) };
    journal.append(headWrite(runId, head)).catch((failure: unknown) => onFailed(runId, failure));
  });
}
