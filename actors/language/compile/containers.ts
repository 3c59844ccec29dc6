/** The tasks that contain tasks in sequence or at the same time: `do`, `for`, `fork`. */
import { ConstantTemplate } from "../constant-template.ts";
import type { Fields } from "../fields.ts";
import type { DoNode, ForkNode, ForNode } from "../model.ts";
import { variableNameFault } from "../variables.ts";
import type { Compilation, ListCompiler, TaskSite } from "./compilation.ts";

/** `do: [...]`. */
export function compileDo(fields: Fields, site: TaskSite, _compilation: Compilation, lists: ListCompiler): DoNode {
  return { ...site.base, kind: "do", tasks: lists.tasks(fields.requiredJson("do"), fields.at("do"), site.variables) };
}

/** `for: { each, in, at }`, `while`, `do`. */
export function compileFor(fields: Fields, site: TaskSite, compilation: Compilation, lists: ListCompiler): ForNode {
  const { expressions, violations } = compilation;
  const loop = fields.requiredMapping("for");
  const each = loopVariable(loop, "each", "item", compilation);
  const at = loopVariable(loop, "at", "index", compilation);
  if (each === at) violations.add(loop.at("at"), `each and at are both called ${at}: give them different names.`);
  const items = expressions.expressionOrTemplate(loop.requiredJson("in"), loop.at("in"), site.variables.inTask) ?? new ConstantTemplate([]);
  if (items.constant !== undefined && !Array.isArray(items.constant))
    violations.add(loop.at("in"), "must be a list, or an expression that gives one.");
  loop.close();
  const variables = site.variables.with(each, at);
  return {
    ...site.base,
    kind: "for",
    each,
    at,
    in: items,
    while: expressions.expression(fields.json("while"), fields.at("while"), variables.inTask),
    body: lists.body("do", fields.requiredJson("do"), fields.at("do"), variables),
  };
}

/** `fork: { branches, compete }`. */
export function compileFork(fields: Fields, site: TaskSite, compilation: Compilation, lists: ListCompiler): ForkNode {
  const fork = fields.requiredMapping("fork");
  const compete = fork.flag("compete") ?? false;
  const value = fork.requiredJson("branches");
  if (Array.isArray(value) && value.length === 0) compilation.violations.add(fork.at("branches"), "must have at least one branch.");
  const branches = lists.branches(value, fork.at("branches"), site.variables);
  fork.close();
  return { ...site.base, kind: "fork", compete, branches };
}

function loopVariable(loop: Fields, field: "each" | "at", absent: string, compilation: Compilation): string {
  const name = loop.text(field) ?? absent;
  const fault = variableNameFault(name);
  if (fault !== undefined) compilation.violations.add(loop.at(field), fault);
  return name;
}
