/** `then`: where the flow goes after a task. */
import type { TaskNames } from "../directive.ts";
import type { Fields } from "../fields.ts";
import type { Directive } from "../model.ts";
import { CONTINUE, type Compilation } from "./compilation.ts";

/** `then` of a task, a case or a catch, resolved in the list that the task stands in; `continue` if absent. */
export function compileThen(owner: Fields, names: TaskNames, compilation: Compilation): Directive {
  const then = owner.text("then");
  if (then === undefined || compilation.violations.full) return CONTINUE;
  const directive = names.resolve(then);
  if (!("fault" in directive)) return directive;
  compilation.violations.add(owner.at("then"), directive.fault);
  return CONTINUE;
}
