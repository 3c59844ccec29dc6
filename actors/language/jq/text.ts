/**
 * Values as JSON text and back, as `tojson`, `tostring` and `fromjson` do. Numbers are written as ECMAScript writes them: jq 1.8 keeps the
 * spelling of a literal (`1.10`), which is lost here as soon as a document is parsed.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import { describe, JqFault } from "./fault.ts";
import { BudgetSpent, type Machine } from "./machine.ts";
import { isArray } from "./ordering.ts";

/** Deepest nesting of a value that is walked through. */
const DEPTH_MAX = 1_000;

/** A string as it is, anything else as JSON text. */
export function textOf(machine: Machine, value: Json): string {
  return typeof value === "string" ? value : jsonOf(machine, value);
}

/** JSON text. Charged by its length. */
export function jsonOf(machine: Machine, value: Json): string {
  const text = Object.is(value, -0) ? "-0" : JSON.stringify(jsonRange(machine, value));
  machine.chargeText(text.length);
  return text;
}

/** The value of JSON text. */
export function parseJson(machine: Machine, value: Json): Json {
  if (typeof value !== "string") throw new JqFault(`${describe(value)} only strings can be parsed`);
  machine.chargeText(value.length * 4);
  try {
    const parsed = JSON.parse(value) as Json;
    jsonRange(machine, parsed);
    return parsed;
  } catch (error) {
    if (error instanceof BudgetSpent) throw error;
    if (value.trim() === "nan") return machine.number(Number.NaN);
    throw new JqFault(`${value.slice(0, 40)} cannot be parsed as JSON`);
  }
}

/**
 * The value with NaN as null and infinities as the largest numbers, as jq writes them. Its size is counted as that of a tree: a value that
 * holds one part many times is as large as its text.
 *
 * @throws BudgetSpent it is larger than LIMITS.expressionResultBytes or too deep.
 */
export function jsonRange(machine: Machine, value: Json): Json {
  weigh(value, LIMITS.expressionResultBytes, 0);
  return machine.beyondJson ? replaced(value) : value;
}

/** What is left of `bytes` after the text of a value, which is estimated from below. */
function weigh(value: Json, bytes: number, depth: number): number {
  if (typeof value === "string") return afford(bytes - value.length - 2);
  if (typeof value !== "object" || value === null) return bytes - 2;
  if (depth >= DEPTH_MAX) throw new BudgetSpent(`a value nested deeper than ${DEPTH_MAX}`);
  let left = afford(bytes - 2);
  if (isArray(value)) {
    for (const item of value) left = afford(weigh(item, left, depth + 1));
    return left;
  }
  for (const key of Object.keys(value)) left = afford(weigh(value[key] as Json, left - key.length - 4, depth + 1));
  return left;
}

function afford(bytes: number): number {
  if (bytes < 0) throw new BudgetSpent(`a value of more than ${LIMITS.expressionResultBytes} bytes`);
  return bytes;
}

function replaced(value: Json): Json {
  if (typeof value === "number") return Number.isNaN(value) ? null : Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
  if (typeof value !== "object" || value === null) return value;
  if (isArray(value)) return value.map(replaced);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner)]));
}
