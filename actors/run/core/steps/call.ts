/**
 * Calls and shell commands: attempts by the worker pool.
 */
import type { CallNode } from "../../../language/model.ts";
import { evaluate } from "../data-flow.ts";
import type { RunEvent } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { viewOf } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";

/** The first attempt, with what it is asked; the request is written only if it can't be read off the document or the input. */
export function beginCall(state: RunState, environment: Environment, frame: Frame, node: CallNode): RunEvent[] {
  const { request } = node;
  const written =
    request === undefined || request.constant !== undefined ? undefined : evaluate(request, state, environment, viewOf(frame), frame.input).text;
  return [{ $case: "attemptScheduled", value: { frame: frame.id, attempt: 1, request: written } }];
}

/** The next attempt, after its delay. */
export function retryCall(frame: Frame): RunEvent[] {
  return [{ $case: "attemptScheduled", value: { frame: frame.id, attempt: frame.attempt + 1, request: undefined } }];
}

/** What the handler is asked, as JSON text: as written, else the document's constant, else the task's input. */
export function requestOf(frame: Frame, node: CallNode): string {
  if (frame.request !== undefined) return frame.request.text;
  const constant = node.request?.constant;
  return constant === undefined ? frame.input.text : JSON.stringify(constant);
}
