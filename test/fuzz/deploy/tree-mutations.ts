/** Changes of a document as a tree: it stays well-formed, so the compiler behind the parser is reached. */
import type { Json } from "../../../actors/json.ts";
import { type Chance, PROTOTYPE_NAMES } from "../chance.ts";
import { randomExpression } from "./expressions.ts";
import { TOKENS } from "./text-mutations.ts";

type Fields = { readonly [key: string]: Json };

/** The value with one part changed, or some more. */
export function mutatedTree(chance: Chance, value: Json): Json {
  let changed = value;
  for (let left = chance.oneIn(2) ? 1 : 1 + chance.below(4); left > 0; left -= 1) changed = changedPart(chance, changed);
  return changed;
}

/** Goes down a random way and changes what is there. */
function changedPart(chance: Chance, value: Json): Json {
  if (typeof value !== "object" || value === null || chance.oneIn(6)) return replaced(chance, value);
  if (Array.isArray(value)) return changedList(chance, value as readonly Json[]);
  return changedFields(chance, value as Fields);
}

function changedList(chance: Chance, items: readonly Json[]): Json {
  if (items.length === 0) return [strangeValue(chance)];
  const at = chance.below(items.length);
  const item = items[at] as Json;
  if (chance.oneIn(8)) return items.toSpliced(at, 1);
  if (chance.oneIn(8)) return items.toSpliced(chance.below(items.length), 0, item);
  return items.with(at, changedPart(chance, item));
}

function changedFields(chance: Chance, fields: Fields): Json {
  const entries = Object.entries(fields);
  if (entries.length === 0 || chance.oneIn(8)) return Object.fromEntries([...entries, [strangeKey(chance), strangeValue(chance)]]);
  const at = chance.below(entries.length);
  const [key, inner] = entries[at] as [string, Json];
  if (chance.oneIn(10)) return Object.fromEntries(entries.toSpliced(at, 1));
  if (chance.oneIn(10)) return Object.fromEntries(entries.with(at, [strangeKey(chance), inner]));
  if (chance.oneIn(12)) return Object.fromEntries([...entries, [chance.pick(entries)[0], inner]]);
  return Object.fromEntries(entries.with(at, [key, changedPart(chance, inner)]));
}

function replaced(chance: Chance, value: Json): Json {
  if (typeof value === "string" && chance.oneIn(2)) return chance.oneIn(2) ? `\${ ${randomExpression(chance)} }` : randomExpression(chance);
  if (typeof value === "number" && chance.oneIn(2)) return chance.number();
  return chance.oneIn(4) ? wrapped(chance, value) : strangeValue(chance);
}

function wrapped(chance: Chance, value: Json): Json {
  return chance.oneIn(2) ? [value, value] : { [strangeKey(chance)]: value };
}

function strangeKey(chance: Chance): string {
  if (chance.oneIn(3)) return chance.pick(PROTOTYPE_NAMES);
  return chance.oneIn(4) ? chance.text(chance.size(300)) : chance.pick(TOKENS);
}

function strangeValue(chance: Chance): Json {
  const kind = chance.below(8);
  if (kind < 2) return chance.pick(TOKENS);
  if (kind < 3) return chance.number();
  if (kind < 4) return chance.text(chance.size(2_000));
  if (kind < 5) return chance.pick<Json>([null, true, false, [], {}, "", [[]], [{}]]);
  if (kind < 6) return `\${ ${randomExpression(chance)} }`;
  return { [strangeKey(chance)]: chance.pick<Json>(["x", 1, { "": [] }]), ...(chance.oneIn(2) && { do: [{ t: { set: { a: 1 } } }] }) };
}
