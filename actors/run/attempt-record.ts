/**
 * An attempt as the task ledger notes it.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { AttemptRecord, AttemptStatus } from "../../runtime/storage/task-ledger.ts";
import type { AttemptView } from "./core/effects.ts";

/** Longest error message that is kept in the ledger, in characters; the history has the whole. */
const ERROR_MESSAGE_LENGTH = 2_000;

/** What is noted of an attempt that is like that since `nowMs`, in milliseconds since the epoch. */
export function attemptRecord(runId: RunId, call: AttemptView, status: AttemptStatus, nowMs: number, errorMessage?: string): AttemptRecord {
  const { frame, attempt, path, handler, createdAtMs } = call;
  const endedAtMs = status === "scheduled" ? undefined : nowMs;
  return { runId, frame, attempt, path, handler, status, createdAtMs, endedAtMs, errorMessage: errorMessage?.slice(0, ERROR_MESSAGE_LENGTH) };
}
