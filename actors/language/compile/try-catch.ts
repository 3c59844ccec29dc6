/** `try` and `catch`. */

import type { Template } from "../expression.ts";
import type { Fields } from "../fields.ts";
import type { CatchClause, TryNode } from "../model.ts";
import { variableNameFault } from "../variables.ts";
import type { Compilation, ListCompiler, TaskSite } from "./compilation.ts";
import { compileRetry } from "./retry-rule.ts";
import { compileThen } from "./then.ts";

const MOST_STATUS = 999;

/** `try: [...]`, `catch: { errors, as, when, exceptWhen, retry, do, then }`. */
export function compileTry(fields: Fields, site: TaskSite, compilation: Compilation, lists: ListCompiler): TryNode {
  const body = lists.body("try", fields.requiredJson("try"), fields.at("try"), site.variables);
  const clause = fields.requiredMapping("catch");
  return { ...site.base, kind: "try", body, catch: compileCatch(clause, site, compilation, lists) };
}

function compileCatch(clause: Fields, site: TaskSite, compilation: Compilation, lists: ListCompiler): CatchClause {
  const { expressions, violations } = compilation;
  const as = clause.text("as") ?? "error";
  const fault = variableNameFault(as);
  if (fault !== undefined) violations.add(clause.at("as"), fault);
  const variables = site.variables.with(as);
  const compiled: CatchClause = {
    with: compileFilter(clause, site, compilation),
    as,
    when: expressions.expression(clause.json("when"), clause.at("when"), variables.inTask),
    exceptWhen: expressions.expression(clause.json("exceptWhen"), clause.at("exceptWhen"), variables.inTask),
    retry: compileRetry(clause, variables, compilation),
    body: clause.has("do") ? lists.body("do", clause.json("do"), clause.at("do"), variables) : undefined,
    // biome-ignore lint/suspicious/noThenProperty: the name that the specification gives it; never a function
    then: compileThen(clause, site.names, compilation),
  };
  clause.close();
  return compiled;
}

function compileFilter(clause: Fields, site: TaskSite, compilation: Compilation): Template | undefined {
  const errors = clause.mapping("errors");
  const filter = errors?.mapping("with");
  errors?.close();
  if (filter === undefined) return undefined;
  for (const name of ["type", "instance", "title", "detail"]) filter.text(name);
  filter.integer("status", 0, MOST_STATUS);
  filter.close();
  if (Object.keys(filter.source).length === 0) compilation.violations.add(filter.pointer, "names no field: remove it to catch every error.");
  return compilation.expressions.template(filter.source, filter.pointer, site.variables.inTask);
}
