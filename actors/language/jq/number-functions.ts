/**
 * The builtins on numbers, by signature.
 */
import type { Json } from "../../json.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { compare } from "./ordering.ts";
import type { ValueFunction } from "./value-functions.ts";

/** A function of one number. */
function numeric(apply: (value: number) => number): ValueFunction {
  return (machine, input) => machine.number(apply(requireNumber(input)));
}

function requireNumber(value: Json): number {
  if (typeof value !== "number") throw new JqFault(`${describe(value)} number required`);
  return value;
}

/** Half goes away from zero. */
function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

function abs(machine: Machine, input: Json): Json {
  if (typeof input === "number") return Math.abs(input);
  if (compare(machine, input, 0) < 0) throw new JqFault(`${describe(input)} cannot be negated`);
  return input;
}

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^[+-]?nan$/i;

function toNumber(machine: Machine, input: Json): Json {
  if (typeof input === "number") return input;
  if (typeof input === "string") {
    machine.chargeText(input.length);
    if (DECIMAL.test(input)) return machine.number(Number(input));
    const sign = INFINITE.exec(input)?.[1];
    if (sign !== undefined) return machine.number(sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    if (NOT_A_NUMBER.test(input)) return machine.number(Number.NaN);
  }
  throw new JqFault(`${describe(input)} cannot be parsed as a number`);
}

/** The builtins. */
export const NUMBER_FUNCTIONS: readonly (readonly [string, ValueFunction])[] = [
  ["floor/0", numeric(Math.floor)],
  ["ceil/0", numeric(Math.ceil)],
  ["round/0", numeric(round)],
  ["trunc/0", numeric(Math.trunc)],
  ["sqrt/0", numeric(Math.sqrt)],
  ["fabs/0", numeric(Math.abs)],
  ["abs/0", abs],
  ["tonumber/0", toNumber],
  ["nan/0", (machine) => machine.number(Number.NaN)],
  ["infinite/0", (machine) => machine.number(Number.POSITIVE_INFINITY)],
  ["isnan/0", (_machine, input) => Number.isNaN(input)],
  ["isinfinite/0", (_machine, input) => Math.abs(requireNumber(input)) === Number.POSITIVE_INFINITY],
];
