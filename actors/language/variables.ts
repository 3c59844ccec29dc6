/**
 * Which variables an expression can use, by where it stands in the document: the table of the specification, with the variables of loops
 * and catches added in their bodies. Pure.
 */

/** Names without `$`. The specification has `secrets` and `authorization` too; this version has neither. */
export const UNSUPPORTED_VARIABLES: readonly string[] = ["secrets", "authorization"];

/** All names that the language gives a meaning; a loop or a catch can't reuse them. */
const LANGUAGE_VARIABLES: readonly string[] = [
  "context",
  "input",
  "output",
  "task",
  "workflow",
  "runtime",
  ...UNSUPPORTED_VARIABLES,
  "ENV",
  "__loc__",
];

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Workflow `input.from` and `timeout`. */
export const AT_WORKFLOW_INPUT: readonly string[] = ["workflow", "runtime"];

/** Workflow `output.as`. */
export const AT_WORKFLOW_OUTPUT: readonly string[] = ["context", "workflow", "runtime"];

/** The variables around one task: those that loops and catches brought in. */
export class Variables {
  /** Of loops and catches around the task. */
  readonly own: readonly string[];

  constructor(own: readonly string[] = []) {
    this.own = own;
  }

  /** With more of them, in a body. */
  with(...names: readonly string[]): Variables {
    return new Variables([...new Set([...this.own, ...names])]);
  }

  /** In `if` and `input.from`. */
  get beforeInput(): readonly string[] {
    return ["context", "task", "workflow", "runtime", ...this.own];
  }

  /** In the definition of the task, its `timeout` and its `output.as`. */
  get inTask(): readonly string[] {
    return ["context", "input", "task", "workflow", "runtime", ...this.own];
  }

  /** In `export.as`. */
  get inExport(): readonly string[] {
    return ["context", "input", "output", "task", "workflow", "runtime", ...this.own];
  }
}

/** Why `name` can't be the name of a variable, or undefined if it can. */
export function variableNameFault(name: string): string | undefined {
  if (!NAME.test(name)) return "must be the name of a variable: letters, digits and _, without $, not beginning with a digit.";
  if (LANGUAGE_VARIABLES.includes(name)) return `can't be ${name}: the language has a variable of that name. Choose another one.`;
  return undefined;
}
