/**
 * Side effects happen at least once, and more than once only where an attempt was cut: every attempt with a result left a trace, no node executed one
 * twice, and nothing was repeated whose result was there when the earlier process died.
 */
import type { RunEvent } from "../../../actors/run/core/entry.ts";
import { timeOf } from "../../../runtime/ids.ts";
import type { AttemptTimes, StoredRun } from "../evidence.ts";
import type { Checker } from "./finding.ts";

/** Handlers of other scenarios end in other ways: only results of these count. */
const ENDS = new Set(["attemptCompleted", "attemptFailed", "taskCompleted", "taskFaulted"]);

/** The checker. */
export const checkSideEffects: Checker = ({ runs, traces, boots, excuses }) => {
  const cutAtMs = new Map(boots.map((boot) => [boot.pid, boot.cutAtMs]));
  const byAttempt = Map.groupBy(traces, ({ key, attempt }) => `${key}#${attempt}`);
  const findings: string[] = [];
  for (const run of runs) {
    for (const [attempt, times] of endsOf(run)) {
      const { endedAtMs } = times;
      const own = byAttempt.get(attempt) ?? [];
      if (own.length === 0) findings.push(`attempt ${attempt} has a result and was never executed`);
      // All processes but the one whose result counts must have been cut before the result was written.
      const isCut = (pid: number): boolean => (cutAtMs.get(pid) ?? 0) <= endedAtMs || excuses?.isCut(pid, run.id, times) === true;
      const once = own.filter(({ pid }) => excuses === undefined || !(isCut(pid) || excuses.mayRepeat(pid, endedAtMs)));
      if (new Set(once.map(({ pid }) => pid)).size < once.length) findings.push(`one node executed attempt ${attempt} ${once.length} times`);
      const uncut = new Set(own.map(({ pid }) => pid).filter((pid) => !isCut(pid)));
      if (uncut.size > 1)
        findings.push(`attempt ${attempt} was executed again although nothing had cut it: processes ${own.map(({ pid }) => pid).join(", ")}`);
    }
  }
  return findings;
};

/** Attempts that have a result, as `run:frame#attempt`, with their times. */
function endsOf({ id, entries }: StoredRun): Map<string, AttemptTimes> {
  const ends = new Map<string, AttemptTimes>();
  const current = new Map<number, { readonly attempt: number; readonly scheduledAtMs: number }>();
  for (const entry of entries) {
    const event = entry.event as RunEvent;
    const atMs = timeOf(id) + entry.offsetMs;
    const { frame = 0, attempt } = event.value as { readonly frame?: number; readonly attempt?: number };
    if (event.$case === "attemptScheduled" && attempt !== undefined) current.set(frame, { attempt, scheduledAtMs: atMs });
    const under = current.get(frame);
    if (under === undefined || !ENDS.has(event.$case)) continue;
    ends.set(`${id}:${frame}#${under.attempt}`, { scheduledAtMs: under.scheduledAtMs, endedAtMs: atMs });
    current.delete(frame);
  }
  return ends;
}
