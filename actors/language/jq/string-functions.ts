/**
 * The builtins on strings, and those that search strings and arrays, by signature.
 */
import type { Json } from "../../json.ts";
import { index, lengthOfText, positions, valuesOf } from "./access.ts";
import { add, split } from "./arithmetic.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { isArray } from "./ordering.ts";
import { jsonOf } from "./text.ts";
import type { ValueFunction } from "./value-functions.ts";

/** A function of two strings. `complaint` is the fault's message for anything else. */
function textual(complaint: string, apply: (machine: Machine, text: string, other: string) => Json): ValueFunction {
  return (machine, input, [other]) => {
    if (typeof input !== "string" || typeof other !== "string") throw new JqFault(complaint);
    machine.chargeText(input.length);
    return apply(machine, input, other);
  };
}

/** A function of one string. */
function ofText(complaint: string | ((input: Json) => string), apply: (text: string) => Json): ValueFunction {
  return (machine, input) => {
    if (typeof input !== "string") throw new JqFault(typeof complaint === "string" ? complaint : complaint(input));
    machine.chargeText(input.length);
    return apply(input);
  };
}

function join(machine: Machine, input: Json, [separator]: readonly Json[]): Json {
  let joined: Json = null;
  for (const value of valuesOf(input)) {
    const before: Json = joined === null ? "" : add(machine, joined, separator as Json);
    const text = typeof value === "boolean" || typeof value === "number" ? jsonOf(machine, value) : (value ?? "");
    joined = add(machine, before, text);
  }
  return joined ?? "";
}

/** Places, counted in code points, where `wanted` begins in `text`; they may overlap. */
function placesIn(machine: Machine, text: string, wanted: string): number[] {
  const places: number[] = [];
  if (wanted === "") return places;
  let codePoints = 0;
  let from = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    machine.charge(1);
    codePoints += lengthOfText(text.slice(from, at));
    from = at;
    places.push(codePoints);
  }
  return places;
}

function indices(machine: Machine, input: Json, wanted: Json): Json {
  if (isArray(input)) return positions(machine, input, isArray(wanted) ? wanted : [wanted]);
  if (typeof input !== "string" || typeof wanted !== "string") return index(machine, input, wanted);
  machine.chargeText(input.length);
  return placesIn(machine, input, wanted);
}

const ASCII_UPPER = /[A-Z]+/g;
const ASCII_LOWER = /[a-z]+/g;

/** The builtins. */
export const STRING_FUNCTIONS: readonly (readonly [string, ValueFunction])[] = [
  ["ascii_downcase/0", ofText("explode input must be a string", (text) => text.replace(ASCII_UPPER, (letters) => letters.toLowerCase()))],
  ["ascii_upcase/0", ofText("explode input must be a string", (text) => text.replace(ASCII_LOWER, (letters) => letters.toUpperCase()))],
  ["trim/0", ofText("trim input must be a string", (text) => text.trim())],
  ["ltrim/0", ofText("trim input must be a string", (text) => text.trimStart())],
  ["rtrim/0", ofText("trim input must be a string", (text) => text.trimEnd())],
  [
    "utf8bytelength/0",
    ofText(
      (input) => `${describe(input)} only strings have UTF-8 byte length`,
      (text) => Buffer.byteLength(text),
    ),
  ],
  ["startswith/1", textual("startswith() requires string inputs", (_machine, text, start) => text.startsWith(start))],
  ["endswith/1", textual("endswith() requires string inputs", (_machine, text, end) => text.endsWith(end))],
  [
    "ltrimstr/1",
    textual("startswith() requires string inputs", (_machine, text, start) => (text.startsWith(start) ? text.slice(start.length) : text)),
  ],
  [
    "rtrimstr/1",
    textual("endswith() requires string inputs", (_machine, text, end) => (text.endsWith(end) ? text.slice(0, text.length - end.length) : text)),
  ],
  ["split/1", textual("split input and separator must be strings", split)],
  ["join/1", join],
  ["indices/1", (machine, input, [wanted]) => indices(machine, input, wanted as Json)],
  ["index/1", (machine, input, [wanted]) => index(machine, indices(machine, input, wanted as Json), 0)],
  ["rindex/1", (machine, input, [wanted]) => index(machine, indices(machine, input, wanted as Json), -1)],
];
