/**
 * A scope of expressions with fixed data, variables and answers.
 */

import type { Json } from "../../actors/json.ts";
import type { ExternalAnswer, Scope } from "../../actors/language/expression.ts";

/** A scope in which `.` is `data`. Without an answer, external expressions are pending. */
export function fixedScope(data: Json, variables: Readonly<Record<string, Json>> = {}, answer?: ExternalAnswer): Scope {
  return {
    data,
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    answer: () => answer,
  };
}
