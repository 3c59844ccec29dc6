/**
 * The events of a run from its journal, from a time on. They are the same as when they were decided: id, time and text.
 */
import type { RunId } from "../../runtime/ids.ts";
import { timeOf } from "../../runtime/ids.ts";
import type { RunTail, Snapshot } from "../../runtime/storage/journal.ts";
import { decodeEntries } from "../run/core/entry.ts";
import { bringBack } from "../run/core/moved-payloads.ts";
import type { RunState } from "../run/core/state.ts";
import { entriesAfter, fold, type RunSource, stateBefore, stateOfRow } from "../run/loading.ts";
import { type CloudEvent, type EventLevel, evolveAndTell } from "./cloud-event.ts";

/**
 * The events of a run that are not older than `fromMs` (milliseconds since the epoch), page by page. Nothing of a run that was removed.
 *
 * @throws JOURNAL_CORRUPT, WORKFLOW_NOT_FOUND: nothing can be told of this run.
 */
export async function* missedEvents(source: RunSource, runId: RunId, fromMs: number, level: EventLevel): AsyncGenerator<readonly CloudEvent[]> {
  const tail = await source.journal.readTail(runId);
  const begun =
    tail.snapshot === undefined ? await stateOfRow(source, runId, tail.rows[0]) : await stateBeforeTime(source, runId, tail.snapshot, fromMs);
  if (begun === undefined) return;
  for await (const page of entriesAfter(source, begun, readWith(tail))) {
    const entries = await bringBack(source.journal, runId, page, begun.lastSeq + 1);
    const told: CloudEvent[] = [];
    for (const entry of entries) fold(begun, entry, (state, folded) => evolveAndTell(state, folded, level, told));
    yield told.filter(({ atMs }) => atMs >= fromMs);
  }
}

/** A tail that begins with the history serves as its first page. */
function readWith(tail: RunTail): RunTail | undefined {
  return tail.snapshot === undefined ? tail : undefined;
}

/** The latest stored state whose last entry is older than a time; events of what it contains were published before. */
async function stateBeforeTime(source: RunSource, runId: RunId, newest: Snapshot, fromMs: number): Promise<RunState> {
  let snapshot: Snapshot | undefined = newest;
  while (snapshot !== undefined && (await entryTime(source, runId, snapshot.seq)) >= fromMs) {
    snapshot = await source.journal.readSnapshot(runId, snapshot.seq - 1);
  }
  return stateBefore(source, runId, snapshot === undefined ? 1 : snapshot.seq + 1);
}

async function entryTime({ journal }: RunSource, runId: RunId, seq: number): Promise<number> {
  const [row] = await journal.read(runId, seq, 1);
  const entry = row && decodeEntries(runId, row.firstSeq, row.entries)[seq - row.firstSeq];
  return entry === undefined ? Number.POSITIVE_INFINITY : timeOf(runId) + entry.offsetMs;
}
