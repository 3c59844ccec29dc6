/**
 * What a command means for a run: `decide(state, command)` answers the facts that follow from it, or refuses it. It changes nothing; what the
 * run then does by itself is the matter of `advance`.
 */
import { unreachable } from "../../../runtime/assert.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { AttemptError } from "../../../runtime/workers/pool.ts";
import type { CallNode } from "../../language/model.ts";
import { type Problem, standardProblem } from "../../language/problem.ts";
import type { RunSignal, StartRun } from "../../runs.ts";
import type { RunCommand } from "./command.ts";
import { hasOutputFlow } from "./data-flow.ts";
import { problemToWire, type RunEvent, statusToWire, TimerKind } from "./entry.ts";
import type { Environment } from "./environment.ts";
import { cancelledChildren, ended, faulted, offsetOf, timerSet } from "./facts.ts";
import { refusalByFork } from "./fork-output.ts";
import { hasWaited, isGivenUp } from "./node-loss.ts";
import { problemOfAttempt, problemOfNodeLoss, problemOfTimeout } from "./problems.ts";
import { retryDelay } from "./retry-policy.ts";
import type { Frame, RunState } from "./state.ts";

/** The facts that follow from a command; none if it comes too late or changes nothing. @throws RUN_ENDED, FIELD_INVALID */
export function decide(state: RunState, command: RunCommand, environment: Environment): RunEvent[] {
  switch (command.kind) {
    case "start":
      return [runStarted(state, command.request)];
    case "attemptEnded":
      return attemptEnded(state, command, environment);
    case "nodeLost":
      return nodeLost(state, command.waiting, environment);
    case "isolate":
      return isolated(state, command.frame, command.attempt);
    case "timerFired":
      return timerFired(state, command.timer);
    case "signal":
      return signalReceived(state, command.signal);
    case "cancel":
      return cancelled(state, command.reason);
    case "terminate":
      return terminated(state, command.reason);
    case "resume":
      return [];
    default:
      unreachable(command);
  }
}

function runStarted(state: RunState, request: StartRun): RunEvent {
  const { workflow, workflowId } = state;
  return {
    $case: "runStarted",
    value: {
      workflowId,
      namespace: workflow.namespace,
      name: workflow.name,
      version: workflow.version,
      input: request.input,
      userId: request.userId,
      traceParent: request.traceParent,
      labels: request.labels,
    },
  };
}

function attemptEnded(state: RunState, command: Extract<RunCommand, { kind: "attemptEnded" }>, environment: Environment): RunEvent[] {
  const frame = state.frames.get(command.frame);
  // Late results are normal: the attempt lost a race, timed out, or was executed again after a crash of the node.
  if (frame === undefined || !frame.inFlight || frame.attempt !== command.attempt) return [];
  const { outcome } = command;
  switch (outcome.kind) {
    case "completed":
      return attemptCompleted(frame, outcome.output);
    case "failed":
      return attemptFailed(state, frame, outcome.error, environment);
    case "cancelled":
      // Only the node's own stopping gets here: the attempt is executed again by whoever loads the run next.
      return [];
    default:
      unreachable(outcome);
  }
}

function attemptCompleted(frame: Frame, output: string): RunEvent[] {
  if (hasOutputFlow(frame.node)) return [{ $case: "attemptCompleted", value: { frame: frame.id, attempt: frame.attempt, output } }];
  const reason = refusalByFork(frame.parent, { text: output });
  if (reason !== undefined) return givenUp(frame, standardProblem("validation", reason, frame.node.pointer));
  return [
    {
      $case: "taskCompleted",
      value: { frame: frame.id, output, context: undefined, matchedCase: 0, skipped: false, consumedSignal: false },
    },
  ];
}

/** The attempt failed, and no other follows. */
function givenUp(frame: Frame, problem: Problem): RunEvent[] {
  const value = { frame: frame.id, attempt: frame.attempt, error: problemToWire(problem), retryOffsetMs: undefined };
  return [{ $case: "attemptFailed", value }, faulted(frame.id, problem)];
}

function attemptFailed(state: RunState, frame: Frame, error: AttemptError, environment: Environment): RunEvent[] {
  const isFinal = error.kind === "refused" || error.kind === "unknown" || error.kind === "result";
  const retryMs = isFinal ? undefined : delayOfRetry(frame, environment);
  return failedWith(state, frame, problemOfAttempt(error, frame.node.pointer), retryMs === undefined ? undefined : environment.nowMs + retryMs);
}

function delayOfRetry(frame: Frame, { retryOf, random }: Environment): number | undefined {
  return retryDelay(retryOf((frame.node as CallNode).handler), frame.attempt, random);
}

/** An attempt failed. `dueAtMs`: when another follows. `nth` counts the timers that one decision sets. */
function failedWith(state: RunState, frame: Frame, problem: Problem, dueAtMs: number | undefined, nth = 1): RunEvent[] {
  if (dueAtMs === undefined) return givenUp(frame, problem);
  const retryOffsetMs = offsetOf(state, dueAtMs);
  const value = { frame: frame.id, attempt: frame.attempt, error: problemToWire(problem), retryOffsetMs };
  return [{ $case: "attemptFailed", value }, timerSet(state, frame.id, TimerKind.RETRY, dueAtMs, nth)];
}

/** Every attempt that was executed is executed again, further from others each time; one that ended nodes without anybody beside it has failed. */
function nodeLost(state: RunState, waiting: ReadonlySet<number>, environment: Environment): RunEvent[] {
  let retries = 0;
  return [...state.frames.values()].flatMap((frame): RunEvent[] => {
    if (!frame.inFlight || hasWaited(state, frame) || waiting.has(frame.id)) return [];
    if (!isGivenUp(state, frame)) return [{ $case: "attemptInterrupted", value: { frame: frame.id, attempt: frame.attempt } }];
    const retryMs = delayOfRetry(frame, environment);
    if (retryMs !== undefined) retries += 1;
    return failedWith(state, frame, problemOfNodeLoss(frame.node.pointer), retryMs === undefined ? undefined : environment.nowMs + retryMs, retries);
  });
}

function isolated(state: RunState, id: number, attempt: number): RunEvent[] {
  const frame = state.frames.get(id);
  if (frame === undefined || !frame.inFlight || frame.attempt !== attempt) return [];
  return [{ $case: "attemptIsolated", value: { frame: id, attempt } }];
}

function timerFired(state: RunState, id: number): RunEvent[] {
  const timer = state.timers.get(id);
  if (timer === undefined) return [];
  const fired: RunEvent = { $case: "timerFired", value: { timer: id } };
  if (timer.kind !== TimerKind.TIMEOUT) return [fired];
  const { frame } = timer;
  return [fired, ...cancelledChildren(frame), faulted(frame.id, problemOfTimeout(frame.node.pointer))];
}

function signalReceived(state: RunState, signal: RunSignal): RunEvent[] {
  // Also of a run that has ended since: who sends it again did not hear that it had arrived.
  if (signal.signalId !== "" && state.signalIds.has(signal.signalId)) return [];
  assertLive(state);
  const { signalCount, signalChars } = state;
  if (signalCount >= LIMITS.bufferedSignals || signalChars + signal.payload.length > LIMITS.bufferedSignalChars) {
    const active = `one run with ${signalCount} signals (${signalChars} characters) that no task consumed`;
    throw new MaestroError("NODE_OVERLOADED", { facts: { active }, retryAfterMs: 1_000 });
  }
  return [{ $case: "signalReceived", value: { name: signal.name, payload: signal.payload, signalId: signal.signalId } }];
}

function terminated(state: RunState, reason: string): RunEvent[] {
  if (endedAs(state, "terminated")) return [];
  return [ended("terminated", undefined, abortProblem("Terminated", reason))];
}

function cancelled(state: RunState, reason: string): RunEvent[] {
  if (endedAs(state, "cancelled")) return [];
  if (state.cancelReason !== undefined || state.undoing !== undefined) return [];
  const requested: RunEvent = { $case: "cancelRequested", value: { reason } };
  const error = abortProblem("Cancelled", reason);
  if (state.undo.length === 0) return [requested, ended("cancelled", undefined, error)];
  return [requested, { $case: "compensationStarted", value: { outcome: statusToWire("cancelled"), error: problemToWire(error) } }];
}

function abortProblem(title: string, reason: string): Problem {
  return { type: "about:blank", status: 499, title, detail: reason === "" ? `${title} on request` : reason, instance: "" };
}

/** True if the run has ended as the command asks: who asks again did not hear the answer. @throws RUN_ENDED if it has ended otherwise */
function endedAs(state: RunState, wanted: "cancelled" | "terminated"): boolean {
  if (state.status === wanted) return true;
  assertLive(state);
  return false;
}

function assertLive(state: RunState): void {
  if (state.status !== "running") throw new MaestroError("RUN_ENDED", { facts: { runId: state.runId, status: state.status } });
}
