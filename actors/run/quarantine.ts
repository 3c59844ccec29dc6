/**
 * Quarantined runs: what the kernel parks in memory is parked in the store as well, or the next node would crash on it again, and whoever waits for the
 * run learns that it does not go on.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import { parseRunId, type RunId } from "../../runtime/ids.ts";
import { ENDED, type Journal, type RunHead, type RunWrite } from "../../runtime/storage/journal.ts";
import { quarantined } from "./loading.ts";
import type { RunHub } from "./run-hub.ts";

/** When to try again to write a mark. */
const RETRY_MS = 1_000;

/** What marking needs. */
export interface QuarantineParts {
  readonly events: EventHub;
  readonly journal: Pick<Journal, "append" | "find">;
  readonly hub: RunHub;
  readonly clock: Clock;
  /** The mark could not be written; it is tried again. */
  onFailed(runId: RunId, error: unknown): void;
}

/** A write that only changes what the store shows of a run. */
export function headWrite(runId: RunId, head: RunHead): RunWrite {
  return { runId, firstSeq: 0, entryCount: 0, entries: new Uint8Array(), head, essential: true };
}

/** Marks the runs whose actors the kernel quarantines. The returned function ends it. */
export function markQuarantinedRuns(parts: QuarantineParts): () => void {
  return parts.events.on("actor.quarantined", ({ path, error }) => {
    const runId = parseRunId(path.slice(path.lastIndexOf("/") + 1));
    if (runId !== undefined) mark(parts, runId, messageOf(error));
  });
}

function mark(parts: QuarantineParts, runId: RunId, reason: string): void {
  writeMark(parts, runId, reason).catch((failure: unknown) => {
    parts.onFailed(runId, failure);
    // The next owner finds out by itself.
    const isElsewhere = failure instanceof MaestroError && (failure.code === "JOURNAL_FENCED" || failure.code === "SHARD_MOVED");
    if (!isElsewhere) parts.clock.schedule(RETRY_MS, () => mark(parts, runId, reason));
  });
}

/** A run that has ended stays what it is, also if its history was damaged since. */
async function writeMark({ journal, hub }: QuarantineParts, runId: RunId, reason: string): Promise<void> {
  const record = await journal.find(runId);
  const head: RunHead = { status: "quarantined", wake: 0, errorMessage: reason };
  if (record !== undefined && !ENDED.has(record.status)) await journal.append(headWrite(runId, head));
  hub.failed(runId, quarantined(runId, reason));
}
