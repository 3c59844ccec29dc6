/** The tasks that need neither a worker nor other tasks: `set`, `switch`, `raise`, `wait`. */

import { isJsonObject, type Json } from "../../json.ts";
import { ConstantTemplate } from "../constant-template.ts";
import type { Template } from "../expression.ts";
import { Fields, kindOf } from "../fields.ts";
import type { RaiseNode, SetNode, SwitchNode, WaitNode } from "../model.ts";
import { pointerTo } from "../pointer.ts";
import type { Compilation, TaskSite } from "./compilation.ts";
import { compileDuration } from "./data-flow.ts";
import type { Placed } from "./reusable.ts";
import { compileThen } from "./then.ts";

const LEAST_STATUS = 100;
const MOST_STATUS = 999;

/** `set: {...}`, or an expression. */
export function compileSet(fields: Fields, site: TaskSite, compilation: Compilation): SetNode {
  const value = fields.requiredJson("set");
  const pointer = fields.at("set");
  const usable = typeof value === "string" || (isJsonObject(value) && Object.keys(value).length > 0);
  if (value !== undefined && !usable)
    compilation.violations.add(pointer, `must be a mapping with at least one field, or an expression, not ${kindOf(value)}.`);
  const template = usable ? compilation.expressions.expressionOrTemplate(value, pointer, site.variables.inTask) : undefined;
  return { ...site.base, kind: "set", value: template ?? new ConstantTemplate(null) };
}

/** `switch: [ { name: { when, then } } ]`. */
export function compileSwitch(fields: Fields, site: TaskSite, compilation: Compilation): SwitchNode {
  const value = fields.requiredJson("switch");
  const pointer = fields.at("switch");
  const items: readonly Json[] = Array.isArray(value) ? value : [];
  if (value !== undefined && items.length === 0) compilation.violations.add(pointer, "must be a list of at least one case.");
  const cases = items.map((item, index) => compileCase(item, pointerTo(pointer, index), site, compilation));
  const defaults = cases.flatMap((entry, index) => (entry.unconditional ? [index] : []));
  for (const index of defaults.slice(1)) {
    compilation.violations.add(pointerTo(pointer, index), "is a second case without when: only one default is possible.");
  }
  return { ...site.base, kind: "switch", cases: cases.map(({ name, when, then }) => ({ name, when, then })) };
}

function compileCase(
  item: Json,
  pointer: string,
  site: TaskSite,
  compilation: Compilation,
): SwitchNode["cases"][number] & { readonly unconditional: boolean } {
  const outer = Fields.of(item, pointer, compilation.violations);
  const names = Object.keys(outer.source);
  const [name = ""] = names;
  if (names.length !== 1) compilation.violations.add(pointer, "a case is one name with when and then below it: indent them under the name.");
  const entry = names.length === 1 ? outer.requiredMapping(name) : Fields.of(undefined, pointer, compilation.violations);
  if (entry.present && !entry.has("then")) compilation.violations.add(entry.pointer, "lacks the field then: add it.");
  const when = compilation.expressions.expression(entry.json("when"), entry.at("when"), site.variables.inTask);
  const then = compileThen(entry, site.names, compilation);
  entry.close();
  return { name, when, then, unconditional: !entry.has("when") };
}

/** `raise: { error }`, inline or by name. */
export function compileRaise(fields: Fields, site: TaskSite, compilation: Compilation): RaiseNode {
  const raise = fields.requiredMapping("raise");
  const value = raise.requiredJson("error");
  const placed = value === undefined ? undefined : compilation.reusable.resolve("errors", value, raise.at("error"));
  raise.close();
  const visible = site.variables.inTask;
  const error = placed && compilation.errors.get(placed, visible, (part) => compileError(part, visible, compilation));
  return { ...site.base, kind: "raise", error: error ?? new ConstantTemplate(null) };
}

/** The definition of an error. */
export function compileError({ value, pointer }: Placed, variables: readonly string[], compilation: Compilation): Template {
  const error = Fields.of(value, pointer, compilation.violations);
  error.requiredText("type");
  if (error.requiredJson("status") !== undefined) error.integer("status", LEAST_STATUS, MOST_STATUS);
  for (const name of ["instance", "title", "detail"]) error.text(name);
  error.close();
  return compilation.expressions.template(error.source, pointer, variables);
}

/** `wait: DURATION`. */
export function compileWait(fields: Fields, site: TaskSite, compilation: Compilation): WaitNode {
  const duration = compileDuration(fields.requiredJson("wait"), fields.at("wait"), site.variables.inTask, compilation);
  return { ...site.base, kind: "wait", duration: duration ?? new ConstantTemplate("PT0S") };
}
