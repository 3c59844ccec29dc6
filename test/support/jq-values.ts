/**
 * Random JSON values for fast-check, with keys and texts that are awkward: inherited names, code points beyond 16 bits, numbers as texts.
 */
import fc from "fast-check";
import type { Json } from "../../actors/json.ts";

const KEYS = ["a", "b", "c", "name", "é", "__proto__", "constructor"] as const;
/** Texts of values and programs. None is an index: a JavaScript object puts such keys first, and jq doesn't. */
export const TEXTS = ["", "a", "abc", "a,b", "1.5", "-2.5", "é😀x", "￿", "null", " A z "] as const;
/** Numbers of values and programs. */
export const NUMBERS = [0, 1, 2, 3, -1, -2, 1.5, 0.1, 10, -0.5, 1000] as const;

/** Values: small trees of few keys, so that programs find something in them. */
export const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json; leaf: Json }>((tie) => ({
  leaf: fc.oneof(fc.constantFrom<Json>(null, true, false), fc.constantFrom<Json>(...NUMBERS), fc.constantFrom<Json>(...TEXTS)),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }) as fc.Arbitrary<Json>,
    fc.array(fc.tuple(fc.constantFrom(...KEYS), tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;
