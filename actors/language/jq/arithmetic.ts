/**
 * `+ - * / %` on JSON values of every type. Numbers are doubles.
 */
import type { Json } from "../../json.ts";
import { copyObject, put } from "./access.ts";
import { describe, JqFault } from "./fault.ts";
import { BudgetSpent, type Machine } from "./machine.ts";
import { compare, isArray, isObject, type JsonObject } from "./ordering.ts";
import type { ArithmeticOperator } from "./syntax.ts";

/** An arithmetic function. Throws JqFault if the types don't fit. */
export type Arithmetic = (machine: Machine, a: Json, b: Json) => Json;

/** The functions by operator. */
export const ARITHMETIC: Readonly<Record<ArithmeticOperator, Arithmetic>> = {
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": divide,
  "%": remainder,
};

/** Sum of numbers, concatenation of strings and arrays, shallow merge of objects; null adds nothing. */
export function add(machine: Machine, a: Json, b: Json): Json {
  if (typeof a === "number" && typeof b === "number") return machine.number(a + b);
  if (a === null) return b;
  if (b === null) return a;
  if (typeof a === "string" && typeof b === "string") return join(machine, a, b);
  if (isArray(a) && isArray(b)) {
    machine.charge(1 + a.length + b.length);
    return a.concat(b);
  }
  if (isObject(a) && isObject(b)) return merge(machine, a, b);
  throw new JqFault(`${describe(a)} and ${describe(b)} cannot be added`);
}

/** Difference of numbers; an array without the items of another. */
export function subtract(machine: Machine, a: Json, b: Json): Json {
  if (typeof a === "number" && typeof b === "number") return machine.number(a - b);
  if (isArray(a) && isArray(b)) {
    machine.charge(1 + a.length * b.length);
    return a.filter((item) => !b.some((other) => compare(machine, item, other) === 0));
  }
  throw new JqFault(`${describe(a)} and ${describe(b)} cannot be subtracted`);
}

/** Product of numbers, repetition of a string, deep merge of objects. */
function multiply(machine: Machine, a: Json, b: Json): Json {
  if (typeof a === "number" && typeof b === "number") return machine.number(a * b);
  if (typeof a === "string" && typeof b === "number") return repeat(machine, a, b);
  if (typeof a === "number" && typeof b === "string") return repeat(machine, b, a);
  if (isObject(a) && isObject(b)) return mergeDeep(machine, a, b);
  throw new JqFault(`${describe(a)} and ${describe(b)} cannot be multiplied`);
}

/** Quotient of numbers; a string split by another. */
function divide(machine: Machine, a: Json, b: Json): Json {
  if (typeof a === "number" && typeof b === "number") {
    if (b === 0) throw new JqFault(`${describe(a)} and ${describe(b)} cannot be divided because the divisor is zero`);
    return machine.number(a / b);
  }
  if (typeof a === "string" && typeof b === "string") return split(machine, a, b);
  throw new JqFault(`${describe(a)} and ${describe(b)} cannot be divided`);
}

/** Remainder of whole numbers (fractions are cut off), with the sign of the dividend. */
function remainder(machine: Machine, a: Json, b: Json): Json {
  if (typeof a !== "number" || typeof b !== "number") throw new JqFault(`${describe(a)} and ${describe(b)} cannot be divided (remainder)`);
  if (Number.isNaN(a) || Number.isNaN(b)) return machine.number(Number.NaN);
  const divisor = toInteger(b);
  if (divisor === 0n) throw new JqFault(`${describe(a)} and ${describe(b)} cannot be divided (remainder) because the divisor is zero`);
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return (a % b) + 0;
  const magnitude = divisor < 0n ? -divisor : divisor;
  return Number(toInteger(a) % magnitude);
}

/** The parts of a text between separators; its characters if the separator is empty; none of an empty text. */
export function split(machine: Machine, text: string, separator: string): Json {
  machine.chargeText(text.length);
  if (text === "") return [];
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  machine.charge(parts.length);
  return parts;
}

const INTEGER_MAX = 2n ** 63n - 1n;

function toInteger(value: number): bigint {
  if (value >= 2 ** 63) return INTEGER_MAX;
  if (value <= -(2 ** 63)) return -INTEGER_MAX - 1n;
  return BigInt(Math.trunc(value));
}

function join(machine: Machine, a: string, b: string): string {
  machine.chargeText(a.length + b.length);
  return a + b;
}

function repeat(machine: Machine, text: string, count: number): Json {
  if (Number.isNaN(count) || count < 0) return null;
  const times = count < 1 ? 0 : Math.floor(count);
  if (!Number.isFinite(times)) throw new BudgetSpent("the text is too long");
  machine.chargeText(text.length * times);
  return text.repeat(times);
}

function merge(machine: Machine, a: JsonObject, b: JsonObject): Json {
  const merged = copyObject(machine, a);
  for (const key of Object.keys(b)) {
    machine.charge(1);
    put(merged, key, b[key] as Json);
  }
  return merged;
}

function mergeDeep(machine: Machine, a: JsonObject, b: JsonObject): Json {
  const merged = copyObject(machine, a);
  for (const key of Object.keys(b)) {
    machine.charge(1);
    const old = Object.hasOwn(merged, key) ? (merged[key] as Json) : null;
    const value = b[key] as Json;
    put(merged, key, isObject(old) && isObject(value) ? mergeDeep(machine, old, value) : value);
  }
  return merged;
}
