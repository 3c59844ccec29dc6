/**
 * Nothing is left of runs that have ended, and every other run has something that will wake it.
 */
import { ENDED } from "../../../runtime/storage/journal.ts";
import type { Checker } from "./finding.ts";

/** No timer of a run that has ended, or of none; no key of a run that is not there. */
export const checkLeftovers: Checker = ({ runs, timers, keys }) => {
  const statuses = new Map(runs.map((run) => [run.id, run.status]));
  const findings: string[] = [];
  for (const { runId, timer } of timers) {
    const status = statuses.get(runId);
    if (status === undefined || ENDED.has(status))
      findings.push(`timer ${timer} is left of run ${runId}, which ${status === undefined ? "is not there" : `is ${status}`}`);
  }
  for (const [key, runId] of keys) if (!statuses.has(runId)) findings.push(`the key ${key} names run ${runId}, which is not there`);
  return findings;
};

/** The queries of the wake-up auditor find nothing, and nothing counts as being worked on when all is done. */
export const checkWakeUps: Checker = ({ withoutWake }) => withoutWake.map((id) => `run ${id} has not ended and nothing will wake it`);
