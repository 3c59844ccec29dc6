/**
 * What a handler threw, as plain data of bounded size. Pure. A TaskError is known by its shape, as a user's module may hold another copy of
 * the class.
 */
import { LIMITS } from "../limits.ts";
import { cutText, jsonText } from "./bounded-text.ts";
import type { TaskError } from "./define-task.ts";
import type { AttemptError } from "./pool.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The error of an attempt that threw `thrown`. `kind` is for anything but a TaskError that says itself that a repetition is of no use. */
export function attemptError(kind: AttemptError["kind"], thrown: unknown): AttemptError {
  if (!isError(thrown)) return { kind, message: cutText(printed(thrown), LIMITS.logLineBytes) };
  const error: Writable<AttemptError> = { kind, message: cutText(thrown.message || thrown.name, LIMITS.logLineBytes) };
  if (typeof thrown.stack === "string") error.stack = cutText(thrown.stack, LIMITS.logLineBytes);
  if (thrown.name === "TaskError") addTaskError(error, thrown as TaskError);
  return error;
}

function addTaskError(error: Writable<AttemptError>, thrown: TaskError): void {
  if (thrown.retryable === false && error.kind === "thrown") error.kind = "refused";
  if (typeof thrown.type === "string") error.type = cutText(thrown.type, LIMITS.logLineBytes);
  if (typeof thrown.status === "number") error.status = thrown.status;
  if (typeof thrown.title === "string") error.title = cutText(thrown.title, LIMITS.logLineBytes);
  if (thrown.details === undefined) return;
  const details = jsonText(thrown.details, LIMITS.logLineBytes);
  error.details = "text" in details ? details.text : JSON.stringify(`left out: it ${details.reason}`);
}

function isError(value: unknown): value is Error {
  return value instanceof Error || (typeof value === "object" && value !== null && "message" in value && typeof value.message === "string");
}

function printed(thrown: unknown): string {
  const json = jsonText(thrown, LIMITS.payloadBytes);
  return typeof thrown === "string" ? thrown : "text" in json ? json.text : `a ${typeof thrown}`;
}
