/**
 * What is wrong with a task definition: pure, and all faults at once, because whoever mends a file wants the whole list.
 */
import { LIMITS } from "../limits.ts";
import type { TaskDefinition } from "./define-task.ts";
import { keyFault, LAST_PRIORITY, queueFault } from "./scheduling.ts";

const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const FIELDS = new Set(["name", "tier", "scheduleToStartMs", "startToCloseMs", "heartbeatMs", "retry", "queue", "priority", "concurrency", "run"]);
const RETRY_FIELDS = new Set(["attempts", "delayMs", "backoff", "maxDelayMs", "jitter"]);
const CONCURRENCY_FIELDS = new Set(["key", "limit"]);
const DAY_MS = 86_400_000;

/** The faults of a definition, each naming its field and the rule; empty if it is sound. */
export function definitionFaults(definition: TaskDefinition): string[] {
  const faults: string[] = [];
  const { name, tier, retry, run } = definition;
  if (typeof name !== "string" || !NAME.test(name)) {
    faults.push(`name must begin with a letter, have only letters, digits and . _ -, and at most 64 characters, but is ${shown(name)}`);
  }
  if (tier !== undefined && tier !== "thread" && tier !== "process") faults.push(`tier must be "thread" or "process", but is ${shown(tier)}`);
  if (typeof run !== "function") faults.push(`run must be a function, but is ${shown(run)}`);
  for (const field of ["scheduleToStartMs", "startToCloseMs", "heartbeatMs"] as const) {
    range(faults, field, definition[field], 1, 365 * DAY_MS);
  }
  if (retry !== undefined) retryFaults(faults, retry);
  schedulingFaults(faults, definition);
  unknownFields(faults, definition, FIELDS, "");
  return faults;
}

function retryFaults(faults: string[], retry: unknown): void {
  if (typeof retry !== "object" || retry === null) {
    faults.push(`retry must be an object, but is ${shown(retry)}`);
    return;
  }
  const fields = retry as Record<string, unknown>;
  if (!Number.isInteger(fields.attempts)) faults.push(`retry.attempts must be an integer, but is ${shown(fields.attempts)}`);
  else range(faults, "retry.attempts", fields.attempts, 1, 1_000_000);
  range(faults, "retry.delayMs", fields.delayMs, 0, 365 * DAY_MS);
  range(faults, "retry.maxDelayMs", fields.maxDelayMs, 0, 365 * DAY_MS);
  range(faults, "retry.jitter", fields.jitter, 0, 1);
  if (fields.backoff !== undefined && !["constant", "linear", "exponential"].includes(fields.backoff as string)) {
    faults.push(`retry.backoff must be "constant", "linear" or "exponential", but is ${shown(fields.backoff)}`);
  }
  unknownFields(faults, fields, RETRY_FIELDS, "retry.");
}

function schedulingFaults(faults: string[], { queue, priority, concurrency }: TaskDefinition): void {
  const fault = queue === undefined ? undefined : queueFault(queue);
  if (fault !== undefined) faults.push(`queue ${fault}, but is ${shown(queue)}`);
  wholeNumber(faults, "priority", priority, LAST_PRIORITY);
  if (concurrency === undefined) return;
  if (typeof concurrency !== "object" || concurrency === null) {
    faults.push(`concurrency must be an object, but is ${shown(concurrency)}`);
    return;
  }
  const { key, limit } = concurrency;
  const wrongKey = key === undefined ? undefined : keyFault(key);
  if (wrongKey !== undefined) faults.push(`concurrency.key ${wrongKey}, but is ${shown(key)}`);
  wholeNumber(faults, "concurrency.limit", limit ?? "missing", LIMITS.slotsPerKey);
  unknownFields(faults, concurrency, CONCURRENCY_FIELDS, "concurrency.");
}

function wholeNumber(faults: string[], field: string, value: unknown, most: number): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return;
  faults.push(`${field} must be a whole number from 1 to ${most}, but is ${shown(value)}`);
}

function range(faults: string[], field: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (typeof value === "number" && value >= least && value <= most) return;
  faults.push(`${field} must be a number from ${least} to ${most}, but is ${shown(value)}`);
}

function unknownFields(faults: string[], object: object, known: ReadonlySet<string>, prefix: string): void {
  for (const field of Object.keys(object)) {
    if (!known.has(field)) faults.push(`${prefix}${field} is not an option; known: ${[...known].join(", ")}`);
  }
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  return typeof value === "object" && value !== null ? "an object" : String(value).slice(0, 100);
}
