/**
 * What a handler threw, as plain data of bounded size. Pure. A TaskError is known by its shape, as a user's module may hold another copy of
 * the class.
 */
import { LIMITS } from "../limits.ts";
import { cutText, jsonText } from "./bounded-text.ts";
import type { TaskError } from "./define-task.ts";
import type { AttemptError } from "./pool.ts";

/** Statuses that a problem can have. */
const STATUS_MIN = 100;
const STATUS_MAX = 599;
/** Stands in for a status that is none. */
const STATUS_UNKNOWN = 500;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The error of an attempt that threw `thrown`. `kind` is for anything but a TaskError that says itself that a repetition is of no use. Never throws: what
 * can't be read of `thrown` (a getter or a proxy may throw in turn) counts as absent.
 */
export function attemptError(kind: AttemptError["kind"], thrown: unknown): AttemptError {
  const message = fieldOf(thrown, "message");
  if (typeof message !== "string") return { kind, message: cutText(printed(thrown), LIMITS.errorTextBytes) };
  const name = textOf(thrown, "name");
  const error: Writable<AttemptError> = { kind, message: message === "" && name !== undefined ? name : cutText(message, LIMITS.errorTextBytes) };
  const stack = textOf(thrown, "stack");
  if (stack !== undefined) error.stack = stack;
  if (name === "TaskError") addTaskError(error, thrown);
  return error;
}

function addTaskError(error: Writable<AttemptError>, thrown: unknown): void {
  if (fieldOf(thrown, "retryable") === false && error.kind === "thrown") error.kind = "refused";
  const type = textOf(thrown, "type");
  if (type !== undefined) error.type = type;
  const title = textOf(thrown, "title");
  if (title !== undefined) error.title = title;
  const status = fieldOf(thrown, "status");
  if (typeof status === "number") error.status = isStatus(status) ? status : STATUS_UNKNOWN;
  const given = fieldOf(thrown, "details");
  if (given === undefined) return;
  const details = jsonText(given, LIMITS.errorTextBytes);
  error.details = "text" in details ? details.text : JSON.stringify(`left out: it ${details.reason}`);
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= STATUS_MIN && status <= STATUS_MAX;
}

/** A field of what was thrown; undefined if it has none, or reading it throws. */
function fieldOf(thrown: unknown, name: keyof TaskError): unknown {
  if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) return undefined;
  try {
    return Reflect.get(thrown, name);
  } catch {
    return undefined;
  }
}

function textOf(thrown: unknown, name: keyof TaskError): string | undefined {
  const text = fieldOf(thrown, name);
  return typeof text === "string" ? cutText(text, LIMITS.logLineBytes) : undefined;
}

function printed(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const json = jsonText(thrown, LIMITS.payloadBytes);
  return "text" in json ? json.text : `a ${typeof thrown}`;
}
