/** `then`: where the flow goes after a task. */
import type { TaskNames } from "../directive.ts";
import type { Fields } from "../fields.ts";
import type { Directive } from "../model.ts";
import { CONTINUE, type Compilation } from "./compilation.ts";

/** What stands in the pointer of everything in a compensation; a `/` in the name of a task is written differently there. */
const COMPENSATION = "/metadata/compensate/";

/** `then` of a task, a case or a catch, resolved in the list that the task stands in; `continue` if absent. */
export function compileThen(owner: Fields, names: TaskNames, compilation: Compilation): Directive {
  const then = owner.text("then");
  if (then === undefined || compilation.violations.full) return CONTINUE;
  const directive = names.resolve(then);
  if ("fault" in directive) {
    compilation.violations.add(owner.at("then"), directive.fault);
    return CONTINUE;
  }
  // A stored document may have been deployed before this was refused: its runs leave the list there, as they always did.
  if (directive.kind === "end" && owner.pointer.includes(COMPENSATION) && !compilation.isStored) {
    compilation.violations.add(owner.at("then"), "end would leave the other tasks of the run not undone: a compensation ends with exit.");
  }
  return directive;
}
