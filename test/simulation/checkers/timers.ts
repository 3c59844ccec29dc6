/**
 * Timers fire: not before they are due by the store's clock (as far as the clocks of nodes agree with it), and not never. Nothing is left of those of
 * runs that have ended.
 */
import { timeOf } from "../../../runtime/ids.ts";
import { checkLeftovers } from "../../chaos/checkers/leftovers.ts";
import type { StoredRun } from "../../chaos/evidence.ts";
import type { CommittedRow } from "../database.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** Times are whole milliseconds, rounded on their way. */
const ROUNDING_MS = 1;
/** How late a timer may be when everything has been well for long. */
const LATE_MS = 30_000;

/** The checker. */
export const checkTimers: Checker = ({ stored, committed, skewMs, isFinal, database }) => {
  const rows = Map.groupBy(committed, ({ runId }) => runId);
  const early = stored.runs.flatMap((run) => earlyOf(run, rows.get(run.id) ?? [], skewMs));
  const left = checkLeftovers(stored).map((sentence) => finding(sentence, /run ([0-9a-f-]{36})/.exec(sentence)?.[1] ?? ""));
  const overdue = [...database.memory.timers.values()].filter(({ dueAtMs }) => isFinal && dueAtMs + skewMs + LATE_MS < database.memory.clock.now());
  return [
    ...early,
    ...left,
    ...overdue.map(({ runId, timer }) => finding(`timer ${timer} of run ${runId} was due long ago and has not fired`, runId)),
  ];
};

function earlyOf(run: StoredRun, rows: readonly CommittedRow[], skewMs: number): Finding[] {
  const dueAtMs = new Map<number, number>();
  const findings: Finding[] = [];
  for (const [place, { event }] of run.entries.entries()) {
    if (event?.$case === "timerSet") dueAtMs.set(event.value.timer, timeOf(run.id) + event.value.dueOffsetMs);
    if (event?.$case !== "timerFired") continue;
    const row = rows.findLast(({ firstSeq }) => firstSeq <= place + 1);
    const aheadMs = (dueAtMs.get(event.value.timer) ?? 0) - (row?.atMs ?? 0);
    if (aheadMs <= skewMs + ROUNDING_MS) continue;
    findings.push(
      finding(`timer ${event.value.timer} of run ${run.id} fired ${aheadMs} ms before it was due, although clocks differ by ${skewMs} ms`, run.id),
    );
  }
  return findings;
}
