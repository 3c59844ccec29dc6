/**
 * Between the values of the port `Runs` and the messages that nodes exchange about runs. Pure.
 */
import type {
  RunOutcome as OutcomeMessage,
  RunCommand,
  StartCall,
  RunView as ViewMessage,
  TaskWait as WaitMessage,
} from "../../proto/gen/maestro/cluster/v1/run_call.ts";
import { type RunId, timeOf } from "../../runtime/ids.ts";
import { problemFromWire, problemToWire, statusFromWire, statusToWire } from "../run/core/entry.ts";
import type { RunOutcome, RunView, StartRun, TaskWait } from "../runs.ts";
import type { RoutedCommand } from "./routed-command.ts";

/** A start as a message. */
export function startMessage(request: StartRun, repeated: boolean): StartCall {
  const { workflowId, input, userId, labels, idempotencyKey, traceParent } = request;
  return { workflowId, input, userId, labels: { ...labels }, idempotencyKey, traceParent, repeated };
}

/** A start from a message. */
export function startOf({ workflowId, input, userId, labels, idempotencyKey, traceParent }: StartCall): StartRun {
  return { workflowId, input, userId, labels, traceParent, ...(idempotencyKey !== undefined && { idempotencyKey }) };
}

/** A command as a message. */
export function commandMessage({ command, isRepeat }: { readonly command: RoutedCommand; readonly isRepeat: boolean }): RunCommand {
  switch (command.kind) {
    case "signal":
      return { repeated: isRepeat, command: { $case: "signal", value: command.signal } };
    case "cancel":
    case "terminate":
      return { repeated: isRepeat, command: { $case: command.kind, value: { reason: command.reason } } };
    case "release":
      return { repeated: isRepeat, command: { $case: "release", value: {} } };
  }
}

/** A command from a message; undefined if it is of a kind that this version does not know. */
export function commandOf({ command }: RunCommand): RoutedCommand | undefined {
  switch (command?.$case) {
    case "signal":
      return { kind: "signal", signal: command.value };
    case "cancel":
    case "terminate":
      return { kind: command.$case, reason: command.value.reason };
    case "release":
      return { kind: "release" };
    case undefined:
      return undefined;
  }
}

/** A run's end as a message. */
export function outcomeMessage({ status, output, error }: RunOutcome): OutcomeMessage {
  return { status: statusToWire(status), output, error: error && problemToWire(error) };
}

/** A run's end from a message. */
export function outcomeOfMessage(runId: RunId, { status, output, error }: OutcomeMessage): RunOutcome {
  return { runId, status: statusFromWire(status), output, error: problemFromWire(error) };
}

/** A run as a message. */
export function viewMessage(view: RunView): ViewMessage {
  const { workflowId, userId, labels, status, wake, errorMessage, endedAtMs, input, output, error, activeTasks, lastSeq } = view;
  return {
    ...{ workflowId, userId, wake, errorMessage, endedAtMs, input, output, lastSeq },
    labels: { ...labels },
    status: statusToWire(status),
    error: error && problemToWire(error),
    activeTasks: activeTasks.map((task) => ({ ...task, waitsFor: task.waitsFor && waitMessage(task.waitsFor) })),
  };
}

/** A run from a message. */
export function viewOfMessage(runId: RunId, message: ViewMessage): RunView {
  const { workflowId, userId, labels, status, wake, errorMessage, endedAtMs, input, output, error, activeTasks, lastSeq } = message;
  return {
    ...{ runId, workflowId, userId, labels, wake, input, output, lastSeq },
    activeTasks: activeTasks.map((task) => ({ ...task, waitsFor: waitOfMessage(task.waitsFor) })),
    createdAtMs: timeOf(runId),
    status: statusFromWire(status),
    error: problemFromWire(error),
    ...(errorMessage !== undefined && { errorMessage }),
    ...(endedAtMs !== undefined && { endedAtMs }),
  };
}

function waitMessage(wait: TaskWait): WaitMessage {
  const { sinceMs } = wait;
  if (wait.kind === "queue") return { sinceMs, reason: { $case: "queue", value: { queue: wait.queue } } };
  return { sinceMs, reason: { $case: "concurrency", value: { key: wait.key, limit: wait.limit } } };
}

/** Undefined also for a reason that this version does not know. */
function waitOfMessage(message: WaitMessage | undefined): TaskWait | undefined {
  if (message?.reason === undefined) return undefined;
  const { sinceMs, reason } = message;
  return reason.$case === "queue" ? { kind: "queue", ...reason.value, sinceMs } : { kind: "concurrency", ...reason.value, sinceMs };
}
