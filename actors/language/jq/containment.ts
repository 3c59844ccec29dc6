/**
 * `contains`: substrings, items of arrays in any order, fields of objects, and equal scalars.
 */
import type { Json } from "../../json.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { equals, isArray, isObject, typeOf } from "./ordering.ts";

/** True if `whole` contains `part`. Throws JqFault for values of different types. */
export function containsValue(machine: Machine, whole: Json, part: Json): boolean {
  const fits = typeOf(whole) === typeOf(part) && (typeof whole !== "boolean" || whole === part);
  if (!fits) throw new JqFault(`${describe(whole)} and ${describe(part)} cannot have their containment checked`);
  return covers(machine, whole, part);
}

function covers(machine: Machine, whole: Json, part: Json): boolean {
  machine.charge(1);
  if (isObject(whole) && isObject(part)) {
    return Object.keys(part).every((key) => Object.hasOwn(whole, key) && covers(machine, whole[key] as Json, part[key] as Json));
  }
  if (isArray(whole) && isArray(part)) return part.every((wanted) => whole.some((item) => covers(machine, item, wanted)));
  if (typeof whole === "string" && typeof part === "string") {
    machine.chargeText(whole.length);
    return whole.includes(part);
  }
  return equals(machine, whole, part);
}
