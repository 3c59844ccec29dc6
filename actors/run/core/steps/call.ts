/**
 * Calls and shell commands: attempts by the worker pool.
 */
import { type DocumentScheduling, keyFault } from "../../../../runtime/workers/scheduling.ts";
import type { CallNode } from "../../../language/model.ts";
import { evaluate } from "../data-flow.ts";
import type { RunEvent } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { DataFault } from "../problems.ts";
import { viewOf } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";

/** The first attempt, with what it is asked and what it is counted by; both are written only if they can't be read off the document or the input. */
export function beginCall(state: RunState, environment: Environment, frame: Frame, node: CallNode): RunEvent[] {
  const { request } = node;
  const written =
    request === undefined || request.constant !== undefined ? undefined : evaluate(request, state, environment, viewOf(frame), frame.input).text;
  const concurrencyKey = evaluatedKey(state, environment, frame, node);
  return [{ $case: "attemptScheduled", value: { frame: frame.id, attempt: 1, request: written, concurrencyKey } }];
}

/** The next attempt, after its delay. */
export function retryCall(frame: Frame): RunEvent[] {
  return [{ $case: "attemptScheduled", value: { frame: frame.id, attempt: frame.attempt + 1, request: undefined, concurrencyKey: undefined } }];
}

/**
 * Where the attempt of a frame waits, as its document says; undefined: the document says nothing. An attempt that a node scheduled, or stored in a snapshot,
 * which knew nothing of keys has none written: as there, it is not limited.
 */
export function schedulingOf(frame: Frame): DocumentScheduling | undefined {
  const { scheduling } = frame.node;
  if (scheduling?.concurrency === undefined) return scheduling as DocumentScheduling | undefined;
  const { key: written, limit } = scheduling.concurrency;
  const key = frame.concurrencyKey ?? (written.constant === undefined ? undefined : String(written.constant));
  return { ...scheduling, concurrency: key === undefined ? undefined : { key, limit } };
}

function evaluatedKey(state: RunState, environment: Environment, frame: Frame, node: CallNode): string | undefined {
  const key = node.scheduling?.concurrency?.key;
  if (key === undefined || key.constant !== undefined) return undefined;
  const { value } = evaluate(key, state, environment, viewOf(frame), frame.input);
  const text = typeof value === "number" ? String(value) : value;
  const fault = keyFault(text);
  if (fault !== undefined) throw new DataFault(`the concurrency key ${fault}, or a number`);
  return text as string;
}

/** What the handler is asked, as JSON text: as written, else the document's constant, else the task's input. */
export function requestOf(frame: Frame, node: CallNode): string {
  if (frame.request !== undefined) return frame.request.text;
  const constant = node.request?.constant;
  return constant === undefined ? frame.input.text : JSON.stringify(constant);
}
