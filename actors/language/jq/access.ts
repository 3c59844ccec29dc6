/**
 * Reading and copying parts of values: fields, items, slices. Only own properties count, and `__proto__` is a key like any other, on the
 * way in (JSON.parse makes it an own property) and on the way out ({@link put}).
 */
import type { Json } from "../../json.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { equals, isArray, isObject, type JsonObject, typeOf } from "./ordering.ts";

/** An object under construction. */
export type MutableObject = { [key: string]: Json };

/** Sets an own property, whatever its name. */
export function put(target: MutableObject, key: string, value: Json): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** A copy of an object. Charged by its size. */
export function copyObject(machine: Machine, value: JsonObject): MutableObject {
  const copy = { ...value };
  machine.charge(1 + Object.keys(copy).length);
  return copy;
}

/** `.[key]` with any key. */
export function index(machine: Machine, target: Json, key: Json): Json {
  if (typeof key === "string") return field(target, key);
  if (typeof key === "number" && (target === null || isArray(target))) return target === null ? null : item(target, key);
  if (isObject(key) && (target === null || isArray(target) || typeof target === "string")) {
    return target === null ? null : slice(machine, target, bound(key, "start"), bound(key, "end"));
  }
  if (isArray(target) && isArray(key)) return positions(machine, target, key);
  throw new JqFault(`Cannot index ${typeOf(target)} with ${describe(key)}`);
}

/** `.key`: null if there is no such field. */
export function field(target: Json, key: string): Json {
  if (isObject(target)) return Object.hasOwn(target, key) ? (target[key] as Json) : null;
  if (target === null) return null;
  throw new JqFault(`Cannot index ${typeOf(target)} with ${describe(key)}`);
}

/** `.[n]` of an array: fractions are cut off, negative counts from the end, null beyond the ends. */
export function item(target: readonly Json[], position: number): Json {
  if (Number.isNaN(position)) return null;
  const whole = Math.trunc(position);
  return target[whole < 0 ? whole + target.length : whole] ?? null;
}

/** `.[from:to]` of an array or a string (by code points); null of null. */
export function slice(machine: Machine, target: Json, from: Json, to: Json): Json {
  if (target === null) return null;
  if (typeof target !== "string" && !isArray(target)) throw new JqFault(`Cannot index ${typeOf(target)} with ${describe({ start: from, end: to })}`);
  if (typeof target === "string") {
    machine.chargeText(target.length);
    const [start, end] = sliceBounds(from, to, lengthOfText(target));
    return start >= end ? "" : target.slice(offsetOf(target, start), offsetOf(target, end));
  }
  const [start, end] = sliceBounds(from, to, target.length);
  machine.charge(1 + Math.max(end - start, 0));
  return target.slice(start, Math.max(start, end));
}

/** Start and end of a slice within `length`. Throws JqFault unless each is a number or null. */
export function sliceBounds(from: Json, to: Json, length: number): [start: number, end: number] {
  const start = from ?? 0;
  const end = to ?? length;
  if (typeof start !== "number" || typeof end !== "number") {
    throw new JqFault("Array/string slice indices must be integers");
  }
  const first = clamp(Math.floor(start < 0 ? start + length : start), length);
  const last = clamp(Math.ceil(end < 0 ? end + length : end), length);
  return [first, Math.max(first, last)];
}

/** The values inside an array or object. Throws JqFault for anything else. */
export function valuesOf(target: Json): readonly Json[] {
  if (isArray(target)) return target;
  if (isObject(target)) return Object.values(target);
  throw new JqFault(`Cannot iterate over ${describe(target)}`);
}

/** Number of code points. */
export function lengthOfText(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if (isPair(text, at)) {
      length -= 1;
      at += 1;
    }
  }
  return length;
}

/** Places in an array where `wanted` begins. */
export function positions(machine: Machine, target: readonly Json[], wanted: readonly Json[]): Json {
  if (wanted.length === 0) return [];
  const found: number[] = [];
  for (let at = 0; at + wanted.length <= target.length; at++) {
    machine.charge(1);
    if (wanted.every((value, offset) => equals(machine, target[at + offset] as Json, value))) found.push(at);
  }
  return found;
}

function bound(key: JsonObject, side: "start" | "end"): Json {
  if (!Object.hasOwn(key, side)) throw new JqFault("Array/string slice indices must be integers");
  return key[side] as Json;
}

function clamp(value: number, length: number): number {
  return Number.isNaN(value) || value < 0 ? 0 : Math.min(value, length);
}

function offsetOf(text: string, codePoints: number): number {
  let at = 0;
  for (let count = 0; count < codePoints; count++) at += isPair(text, at) ? 2 : 1;
  return at;
}

function isPair(text: string, at: number): boolean {
  const high = text.charCodeAt(at);
  if (high < 0xd800 || high > 0xdbff) return false;
  const low = text.charCodeAt(at + 1);
  return low >= 0xdc00 && low <= 0xdfff;
}
