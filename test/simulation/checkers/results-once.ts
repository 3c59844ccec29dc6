/**
 * Histories are dense, intact and written under epochs that never fall; every step has one result for each time that it began; and no result is made
 * up: its attempt was executed.
 */
import type { RunEvent } from "../../../actors/run/core/entry.ts";
import { checkResultsOnce as checkHistories, checkRows } from "../../chaos/checkers/histories.ts";
import type { StoredRun } from "../../chaos/evidence.ts";
import { type Checker, finding } from "./checker.ts";

/** The checker. */
export const checkResultsOnce: Checker = ({ stored, executions }) => {
  const executed = new Set(executions.map(({ key, attempt }) => `${key}#${attempt}`));
  const madeUp = stored.runs.flatMap((run) => [...resultsOf(run)].filter((attempt) => !executed.has(attempt)));
  return [
    ...[...checkRows(stored), ...checkHistories(stored)].map((sentence) => finding(sentence, /run ([0-9a-f-]{36})/.exec(sentence)?.[1] ?? "")),
    ...madeUp.map((attempt) => finding(`attempt ${attempt} has a result and was never executed`, attempt.split(":")[0] ?? "")),
  ];
};

/** Attempts that handlers were asked for and that have completed, as `run:frame#attempt`. */
function resultsOf({ id, entries }: StoredRun): ReadonlySet<string> {
  const attempts = new Map<number, number>();
  const results = new Set<string>();
  for (const entry of entries) {
    const event = entry.event as RunEvent;
    if (event.$case === "attemptScheduled") attempts.set(event.value.frame, event.value.attempt);
    if (event.$case !== "taskCompleted" && event.$case !== "attemptCompleted") continue;
    const attempt = attempts.get(event.value.frame);
    if (attempt !== undefined) results.add(`${id}:${event.value.frame}#${attempt}`);
  }
  return results;
}
