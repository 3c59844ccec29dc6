/**
 * Of one concurrency key no more attempts are executed at a time than the least limit of those allows. What is not counted is what the documentation says of
 * executions that nobody can stop: they belong to an attempt that is executed anew with the same slot. In the end no slot is taken.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Crowd, Standing } from "../execution-log.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** A clock of a node runs faster than the true one by as much at most. */
const DRIFT = 1.05;

/** The checker. */
export const checkConcurrency: Checker = ({ crowds, database, isFinal }) => {
  const left = isFinal ? [...database.memory.slots.values()] : [];
  return [
    ...crowds.flatMap(judge),
    ...left.map(({ key, runId, frame, attempt }) => finding(`attempt ${attempt} of ${runId}:${frame} still has a slot of the key ${key}`, runId)),
  ];
};

function judge({ atMs, key, standings }: Crowd): Finding[] {
  const standing = standings.filter((one) => !isBeyondControl(one));
  const counted = standing.map(({ execution }) => execution);
  // An attempt that is executed anew while its first execution is being stopped is one attempt.
  const attempts = new Set(counted.map((one) => `${one.key}#${one.attempt}`));
  const limit = Math.min(...standing.flatMap(({ isRunElsewhere, execution: { line } }) => (isRunElsewhere ? [] : (line?.limit ?? 0))));
  if (attempts.size <= limit) return [];
  const names = counted.map((one) => `${one.key}#${one.attempt} on ${one.boot} for ${one.owner}, limit ${one.line?.limit}`);
  const sentence = `${attempts.size} attempts with the key ${key} are executed ${Math.round(atMs)} ms after the begin, and ${limit} may be: ${names.join("; ")}`;
  return [finding(sentence, ...new Set(counted.map((one) => one.key.split(":")[0] ?? "")))];
}

/**
 * On a node that stood still beyond its lease, until it finds itself fenced; on an executor whose lender died, until it hears so; on one that can't
 * reach its lender for longer than a loan lasts.
 */
function isBeyondControl({ execution, ageMs, isOwnerGone, isExecutorGone, hasHeard, isBeingStopped }: Standing): boolean {
  if (execution.executor === execution.owner) return isOwnerGone;
  if (isOwnerGone && (isBeingStopped || !hasHeard)) return true;
  return isExecutorGone || ageMs * DRIFT >= LIMITS.taskLoanMs;
}
