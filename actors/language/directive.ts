/** Flow directives: what `then` names, resolved within its own list of tasks. Pure. */
import type { Directive } from "./model.ts";
import { hint } from "./suggest.ts";

/** Directives that are words of the language; a task can't have one as its name. */
export const DIRECTIVE_WORDS: readonly string[] = ["continue", "exit", "end"];

/** Where the flow goes, or why `then` is wrong. `names` are the tasks of the list in which it stands, in order. */
export function resolveDirective(then: string, names: readonly string[]): Directive | { readonly fault: string } {
  if (then === "continue" || then === "exit" || then === "end") return { kind: then };
  const index = names.indexOf(then);
  if (index < 0) return { fault: `no task of this list is called ${then}.${hint(then, [...DIRECTIVE_WORDS, ...names])}` };
  const again = names.indexOf(then, index + 1);
  if (again >= 0) return { fault: `${then} is ambiguous: the tasks ${index} and ${again} of this list have that name. Rename one.` };
  return { kind: "goto", index };
}
