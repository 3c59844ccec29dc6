/**
 * Types of JSON values and jq's total order: null < false < true < numbers < strings < arrays < objects. Strings are ordered by code
 * points, objects first by their sorted keys, then by the values. NaN is below every number and equal to none.
 */
import type { Json } from "../../json.ts";
import type { Machine } from "./machine.ts";

/** An object of JSON. */
export type JsonObject = { readonly [key: string]: Json };

/** Names of the types. */
export type TypeName = "null" | "boolean" | "number" | "string" | "array" | "object";

/** The type of a value. */
export function typeOf(value: Json): TypeName {
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "array" : "object";
  return typeof value as "boolean" | "number" | "string";
}

/** Everything but null and false. */
export function isTruthy(value: Json): boolean {
  return value !== null && value !== false;
}

/** True for objects: not null, not arrays. */
export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for arrays. */
export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Negative, zero or positive as `a` comes before, with or after `b`. Each value looked at is charged to the budget. */
export function compare(machine: Machine, a: Json, b: Json): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a === b ? 0 : Number.isNaN(a) ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") {
    machine.chargeText(Math.min(a.length, b.length));
    return compareText(a, b);
  }
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (isArray(a)) return compareArrays(machine, a, b as readonly Json[]);
  if (isObject(a)) return compareObjects(machine, a, b as JsonObject);
  return 0;
}

/** True if the values are equal. */
export function equals(machine: Machine, a: Json, b: Json): boolean {
  if (typeof a !== "object" || a === null) return a === b;
  return compare(machine, a, b) === 0;
}

/** Order of texts by code points. Code units order the same, but for surrogates, which stand for the highest code points. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return elevated(x) - elevated(y);
  }
  return a.length - b.length;
}

/** The keys of an object in order. */
export function sortedKeys(machine: Machine, value: JsonObject): string[] {
  const keys = Object.keys(value);
  machine.charge(keys.length);
  return keys.sort(compareText);
}

/** A sorted copy, stable. */
export function sorted<T>(machine: Machine, items: readonly T[], keyOf: (item: T) => Json): T[] {
  machine.charge(items.length);
  return items.toSorted((a, b) => {
    machine.charge(1);
    return compare(machine, keyOf(a), keyOf(b));
  });
}

function elevated(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function rankOf(value: Json): number {
  if (value === null) return 0;
  if (value === false) return 1;
  if (value === true) return 2;
  if (typeof value === "number") return 3;
  if (typeof value === "string") return 4;
  return Array.isArray(value) ? 5 : 6;
}

function compareArrays(machine: Machine, a: readonly Json[], b: readonly Json[]): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    machine.charge(1);
    const order = compare(machine, a[index] as Json, b[index] as Json);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(machine: Machine, a: JsonObject, b: JsonObject): number {
  const keys = sortedKeys(machine, a);
  const order = compareArrays(machine, keys, sortedKeys(machine, b));
  if (order !== 0) return order;
  for (const key of keys) {
    machine.charge(1);
    const difference = compare(machine, a[key] as Json, b[key] as Json);
    if (difference !== 0) return difference;
  }
  return 0;
}
