/**
 * The builtins that let values of certain types through: `values`, `nulls`, `numbers` …
 */
import type { Json } from "../../json.ts";
import { isArray, isObject } from "./ordering.ts";

/** Whether a value passes, by signature. */
export const TYPE_SELECTORS: ReadonlyMap<string, (value: Json) => boolean> = new Map<string, (value: Json) => boolean>([
  ["values/0", (value) => value !== null],
  ["nulls/0", (value) => value === null],
  ["booleans/0", (value) => typeof value === "boolean"],
  ["numbers/0", (value) => typeof value === "number"],
  ["strings/0", (value) => typeof value === "string"],
  ["arrays/0", isArray],
  ["objects/0", isObject],
  ["iterables/0", (value) => typeof value === "object" && value !== null],
  ["scalars/0", (value) => typeof value !== "object" || value === null],
]);
