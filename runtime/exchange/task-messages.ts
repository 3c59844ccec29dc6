/**
 * Attempts and their outcomes on their way between nodes.
 */
import type { LentAttempt, TaskFailure, TaskResult } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import { LIMITS } from "../limits.ts";
import type { Attempt, AttemptError, AttemptOutcome } from "../workers/pool.ts";
import { failed } from "../workers/protocol.ts";
import type { LentHere } from "./loans.ts";

const KINDS: ReadonlySet<string> = new Set<AttemptError["kind"]>(["thrown", "refused", "result", "crashed", "timedOut", "unknown"]);
const TIMEOUTS: ReadonlySet<string> = new Set<NonNullable<AttemptError["timeout"]>>(["scheduleToStart", "startToClose", "heartbeat"]);

/** An attempt as a message; a long input has to be fetched. */
export function lentMessage({ attempt, tier }: LentHere): LentAttempt {
  const { id, handler, input, idempotencyKey, runId, task, traceParent, isolation, queue, priority } = attempt;
  const isApart = input.length > LIMITS.lentInputChars;
  return {
    ...{ id, handler, idempotencyKey, runId, task, traceParent, queue, priority },
    attempt: attempt.attempt,
    isolated: isolation === "process",
    forProcess: tier === "process",
    input: isApart ? "" : input,
    inputBytes: isApart ? Buffer.byteLength(input) : 0,
  };
}

/** A message as an attempt, with its input. */
export function attemptOf(message: LentAttempt, input: string): Attempt {
  const { id, handler, idempotencyKey, runId, task, attempt, traceParent, isolated, queue, priority } = message;
  return { id, handler, input, idempotencyKey, runId, task, attempt, traceParent, queue, priority, isolation: isolated ? "process" : "tier" };
}

/** An outcome as a message. */
export function resultMessage(id: string, outcome: AttemptOutcome): TaskResult {
  switch (outcome.kind) {
    case "completed":
      return { id, outcome: { $case: "output", value: outcome.output } };
    case "failed": {
      const { timeout = "", ...error } = outcome.error;
      return { id, outcome: { $case: "failure", value: { ...error, timeout } } };
    }
    case "cancelled":
      return { id, outcome: { $case: "cancelled", value: {} } };
  }
}

/** A message as an outcome. A kind of outcome that only a newer version knows is a crash: it may be tried again. */
export function outcomeOf({ outcome }: TaskResult): AttemptOutcome {
  switch (outcome?.$case) {
    case "output":
      return { kind: "completed", output: outcome.value };
    case "failure":
      return { kind: "failed", error: errorOf(outcome.value) };
    case "cancelled":
      return { kind: "cancelled" };
    case undefined:
      return failed("crashed", "The node that executed it told an outcome that this version does not know.");
  }
}

/** Characters of an outcome, roughly. */
export function charsOf(outcome: AttemptOutcome): number {
  if (outcome.kind === "completed") return outcome.output.length;
  if (outcome.kind === "cancelled") return 0;
  const { message, details = "", stack = "" } = outcome.error;
  return message.length + details.length + stack.length;
}

function errorOf(failure: TaskFailure): AttemptError {
  const { kind, timeout, message, type, status, title, details, stack } = failure;
  return {
    kind: KINDS.has(kind) ? (kind as AttemptError["kind"]) : "crashed",
    message,
    ...(TIMEOUTS.has(timeout) && { timeout: timeout as NonNullable<AttemptError["timeout"]> }),
    ...(type !== undefined && { type }),
    ...(status !== undefined && { status }),
    ...(title !== undefined && { title }),
    ...(details !== undefined && { details }),
    ...(stack !== undefined && { stack }),
  };
}
