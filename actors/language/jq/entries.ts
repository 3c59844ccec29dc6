/**
 * `to_entries` and `from_entries`.
 */
import type { Json } from "../../json.ts";
import { field, type MutableObject, put, valuesOf } from "./access.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { isArray, isObject, isTruthy } from "./ordering.ts";

/** The fields of an object, or the items of an array, as `{key, value}`. */
export function entriesOf(machine: Machine, input: Json): Json[] {
  if (!isObject(input) && !isArray(input)) throw new JqFault(`${describe(input)} has no keys`);
  const values = valuesOf(input);
  const keys: readonly Json[] = isArray(input) ? [...values.keys()] : Object.keys(input);
  machine.charge(values.length * 2);
  return values.map((value, at) => ({ key: keys[at] as Json, value }));
}

/** The object of entries: keys from `key`, `Key`, `name` or `Name`, values from `value` or `Value`. */
export function fromEntries(machine: Machine, input: Json): Json {
  const object: MutableObject = {};
  for (const entry of valuesOf(input)) {
    machine.charge(1);
    put(object, keyOf(entry), payloadOf(entry));
  }
  return object;
}

const KEY_NAMES = ["key", "Key", "name", "Name"];

function keyOf(entry: Json): string {
  const candidates = KEY_NAMES.map((name) => field(entry, name));
  const key = candidates.find(isTruthy) ?? (candidates.at(-1) as Json);
  if (typeof key !== "string") throw new JqFault(`Cannot use ${describe(key)} as object key`);
  return key;
}

function payloadOf(entry: Json): Json {
  return isObject(entry) && Object.hasOwn(entry, "value") ? field(entry, "value") : field(entry, "Value");
}
