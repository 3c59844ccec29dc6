/**
 * History entries as the run core sees them, and their encoding: the only place of `actors` that reads or writes journal bytes.
 */
import { encodeJournalRow } from "../../../proto/codec.ts";
import {
  type Entry,
  JournalRow,
  type Problem as ProblemMessage,
  TimerKind,
  RunStatus as WireStatus,
} from "../../../proto/gen/maestro/journal/v1/entry.ts";
import { DIALECT } from "../../../runtime/dialect.ts";
import { MaestroError, messageOf } from "../../../runtime/errors.ts";
import type { RunId } from "../../../runtime/ids.ts";
import type { RunStatus } from "../../../runtime/storage/journal.ts";
import type { Problem } from "../../language/problem.ts";

export { type Entry, type ProblemMessage, TimerKind };

/** What happened, without its time: the `event` of an {@link Entry}. */
export type RunEvent = NonNullable<Entry["event"]>;

/** The bytes of entries, as stored in one row. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  return encodeJournalRow(entries);
}

/**
 * The entries of one stored row.
 *
 * @throws JOURNAL_CORRUPT the bytes are no entries.
 * @throws RUN_TOO_NEW one is of a kind that this program does not know, or for a later dialect.
 */
export function decodeEntries(runId: RunId, firstSeq: number, bytes: Uint8Array): Entry[] {
  try {
    const { entries } = JournalRow.decode(bytes);
    for (const [place, { event, readsFrom = 0 }] of entries.entries())
      refuseNewer(runId, firstSeq + place, event === undefined ? Number.POSITIVE_INFINITY : readsFrom);
    return entries;
  } catch (error) {
    if (error instanceof MaestroError) throw error;
    throw new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq: firstSeq, reason: messageOf(error) }, cause: error });
  }
}

/** @throws RUN_TOO_NEW what is stored at `seq` is for those who speak a later dialect. */
export function refuseNewer(runId: RunId, seq: number, readsFrom: number): void {
  if (readsFrom > DIALECT) throw new MaestroError("RUN_TOO_NEW", { facts: { runId, seq } });
}

const STATUS_BY_WIRE: Readonly<Record<number, RunStatus>> = {
  [WireStatus.PENDING]: "pending",
  [WireStatus.RUNNING]: "running",
  [WireStatus.WAITING]: "waiting",
  [WireStatus.COMPLETED]: "completed",
  [WireStatus.FAILED]: "failed",
  [WireStatus.CANCELLED]: "cancelled",
  [WireStatus.TERMINATED]: "terminated",
  [WireStatus.QUARANTINED]: "quarantined",
};
const WIRE_BY_STATUS = Object.fromEntries(Object.entries(STATUS_BY_WIRE).map(([wire, status]) => [status, Number(wire)])) as Record<
  RunStatus,
  WireStatus
>;

/** A status as it stands in entries and on the gateway's wire: both use the same numbers. */
export function statusToWire(status: RunStatus): WireStatus {
  return WIRE_BY_STATUS[status];
}

/** A status from an entry. */
export function statusFromWire(wire: WireStatus): RunStatus {
  return STATUS_BY_WIRE[wire] ?? "pending";
}

/** A problem as it stands in entries. */
export function problemToWire(problem: Problem): ProblemMessage {
  const { type, status, title = "", detail = "", instance = "", data = "" } = problem;
  return { type, status, title, detail, instance, data };
}

/** A problem from an entry. */
export function problemFromWire(message: ProblemMessage | undefined): Problem | undefined {
  if (message === undefined) return undefined;
  const { type, status, title, detail, instance, data } = message;
  return { type, status, ...(title && { title }), ...(detail && { detail }), ...(instance && { instance }), ...(data && { data }) };
}
