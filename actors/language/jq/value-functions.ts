/**
 * The builtins that are functions of values: `length`, `keys`, `has(key)`, `join(separator)` … by signature.
 */
import type { Json } from "../../json.ts";
import { index, lengthOfText, valuesOf } from "./access.ts";
import { containsValue } from "./containment.ts";
import { entriesOf, fromEntries } from "./entries.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { NUMBER_FUNCTIONS } from "./number-functions.ts";
import { compare, isArray, isObject, isTruthy, sorted, sortedKeys, typeOf } from "./ordering.ts";
import { Draft, deletePaths, getPath } from "./paths.ts";
import { STRING_FUNCTIONS } from "./string-functions.ts";
import { jsonOf, parseJson, textOf } from "./text.ts";

/** A builtin as a function of the input and its arguments' values. Throws JqFault. */
export type ValueFunction = (machine: Machine, input: Json, args: readonly Json[]) => Json;

function lengthOf(machine: Machine, input: Json): Json {
  if (typeof input === "string") {
    machine.chargeText(input.length);
    return lengthOfText(input);
  }
  if (typeof input === "number") return Math.abs(input);
  if (input === null) return 0;
  if (isArray(input)) return input.length;
  if (isObject(input)) return Object.keys(input).length;
  throw new JqFault(`${describe(input)} has no length`);
}

function keysOf(machine: Machine, input: Json, inOrder: boolean): Json {
  if (isArray(input)) {
    machine.charge(input.length);
    return [...input.keys()];
  }
  if (!isObject(input)) throw new JqFault(`${describe(input)} has no keys`);
  return inOrder ? sortedKeys(machine, input) : Object.keys(input);
}

function has(input: Json, key: Json): boolean {
  if (input === null) return false;
  if (isObject(input) && typeof key === "string") return Object.hasOwn(input, key);
  if (isArray(input) && typeof key === "number") return Math.trunc(key) >= 0 && Math.trunc(key) < input.length;
  throw new JqFault(`Cannot check whether ${typeOf(input)} has a ${typeOf(key)} key`);
}

function flatten(machine: Machine, input: Json, depth: Json): Json {
  if (compare(machine, depth, 0) < 0) throw new JqFault("flatten depth must not be negative");
  const items: Json[] = [];
  const add = (values: readonly Json[], left: Json): void => {
    for (const value of values) {
      machine.charge(1);
      if (!isArray(value) || left === 0) {
        items.push(value);
        continue;
      }
      if (typeof left !== "number") throw new JqFault(`${describe(left)} and number (1) cannot be subtracted`);
      add(value, left - 1);
    }
  };
  add(valuesOf(input), depth);
  return items;
}

function reverse(machine: Machine, input: Json): Json {
  const length = lengthOf(machine, input);
  if (isArray(input)) {
    machine.charge(input.length);
    return input.toReversed();
  }
  return length === 0 ? [] : index(machine, input, (length as number) - 1);
}

function transpose(machine: Machine, input: Json): Json {
  const rows = valuesOf(input);
  const widths = rows.map((row) => lengthOf(machine, row) as number);
  const width = widths.reduce((widest, next) => Math.max(widest, next), 0);
  machine.charge(width * (rows.length + 1));
  return Array.from({ length: Math.ceil(width) }, (_none, column) => rows.map((row) => index(machine, row, column)));
}

function pathOf(value: Json): readonly Json[] {
  if (!isArray(value)) throw new JqFault("Path must be specified as an array");
  return value;
}

function setPath(machine: Machine, input: Json, path: Json, value: Json): Json {
  const draft = new Draft(machine, input);
  draft.set(pathOf(path), value);
  return draft.value;
}

function deleteAll(machine: Machine, input: Json, paths: Json): Json {
  if (!isArray(paths)) throw new JqFault("Paths must be specified as an array");
  const wrong = sorted(machine, paths, (path) => path).find((path) => !isArray(path));
  if (wrong !== undefined) throw new JqFault(`Path must be specified as array, not ${typeOf(wrong)}`);
  return deletePaths(machine, input, paths.filter(isArray));
}

const first = (args: readonly Json[]): Json => args[0] as Json;

/** The builtins, by signature. */
export const VALUE_FUNCTIONS: ReadonlyMap<string, ValueFunction> = new Map<string, ValueFunction>([
  ...NUMBER_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ["length/0", lengthOf],
  ["not/0", (_machine, input) => !isTruthy(input)],
  ["type/0", (_machine, input) => typeOf(input)],
  ["keys/0", (machine, input) => keysOf(machine, input, true)],
  ["keys_unsorted/0", (machine, input) => keysOf(machine, input, false)],
  ["has/1", (_machine, input, args) => has(input, first(args))],
  ["in/1", (_machine, input, args) => has(first(args), input)],
  ["contains/1", (machine, input, args) => containsValue(machine, input, first(args))],
  ["inside/1", (machine, input, args) => containsValue(machine, first(args), input)],
  ["flatten/0", (machine, input) => flatten(machine, input, Number.POSITIVE_INFINITY)],
  ["flatten/1", (machine, input, args) => flatten(machine, input, first(args))],
  ["reverse/0", reverse],
  ["transpose/0", transpose],
  ["to_entries/0", entriesOf],
  ["from_entries/0", fromEntries],
  ["tostring/0", textOf],
  ["tojson/0", jsonOf],
  ["fromjson/0", parseJson],
  ["getpath/1", (machine, input, args) => getPath(machine, input, pathOf(first(args)))],
  ["setpath/2", (machine, input, args) => setPath(machine, input, first(args), args[1] as Json)],
  ["delpaths/1", (machine, input, args) => deleteAll(machine, input, first(args))],
]);
