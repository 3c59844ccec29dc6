/** Flow directives: what `then` names, resolved within its own list of tasks. Pure. */
import type { Directive } from "./model.ts";
import { hint } from "./suggest.ts";

/** Directives that are words of the language; a task can't have one as its name. */
export const DIRECTIVE_WORDS: readonly string[] = ["continue", "exit", "end"];

/** The names of the tasks of one list: where a `then` in it can go. */
export class TaskNames {
  /** In order. */
  readonly all: readonly string[];
  /** Index of the first task of each name, and of the second if there is one. */
  readonly #places = new Map<string, readonly [first: number, second?: number]>();

  constructor(names: readonly string[]) {
    this.all = names;
    for (const [index, name] of names.entries()) {
      const first = this.#places.get(name)?.[0];
      this.#places.set(name, first === undefined ? [index] : [first, index]);
    }
  }

  /** Where the flow goes, or why `then` is wrong. */
  resolve(then: string): Directive | { readonly fault: string } {
    if (then === "continue" || then === "exit" || then === "end") return { kind: then };
    const place = this.#places.get(then);
    if (place === undefined) return { fault: `no task of this list is called ${then}.${hint(then, [...DIRECTIVE_WORDS, ...this.all])}` };
    const [index, again] = place;
    if (again === undefined) return { kind: "goto", index };
    return { fault: `${then} is ambiguous: the tasks ${index} and ${again} of this list have that name. Rename one.` };
  }
}
