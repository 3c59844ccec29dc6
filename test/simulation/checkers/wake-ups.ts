/**
 * Every run that has not ended has a reason to wake up in the store, at every moment at which somebody looks; and the auditors of the nodes find none without.
 */
import { ENDED, WAKE } from "../../../runtime/storage/journal.ts";
import { type Checker, finding } from "./checker.ts";

/** The checker. */
export const checkWakeUps: Checker = ({ database, stored, withoutWakeup }) => {
  const timed = new Set(stored.timers.map(({ runId }) => runId));
  const stuck = [...database.memory.runs.values()].filter(
    ({ runId, status, wake }) => !ENDED.has(status) && status !== "quarantined" && (wake === 0 || ((wake & WAKE.timer) !== 0 && !timed.has(runId))),
  );
  return [
    ...stuck.map(({ runId, status, wake }) =>
      finding(`run ${runId} is ${status}, its reasons to wake up are ${wake}, and nothing stands for them`, runId),
    ),
    ...withoutWakeup.map((found) => finding(`${found}, had nothing to wake it`, found.split(" ")[1]?.replace(",", "") ?? "")),
  ];
};
