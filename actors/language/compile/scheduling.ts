/**
 * `metadata.queue`, `metadata.priority` and `metadata.concurrency`: where the attempts of a call or a command wait. Everything else in `metadata`, but
 * `compensate`, belongs to the author.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import { keyFault, LAST_PRIORITY, queueFault } from "../../../runtime/workers/scheduling.ts";
import { ConstantTemplate } from "../constant-template.ts";
import { Fields } from "../fields.ts";
import type { TaskNode, TaskScheduling } from "../model.ts";
import { closest } from "../suggest.ts";
import type { Variables } from "../variables.ts";
import { Violations } from "../violations.ts";
import type { Compilation } from "./compilation.ts";

const NAMES = ["queue", "priority", "concurrency"];
/** Those of them that an author's own word is not mistaken for. */
const LONG_NAMES = ["priority", "concurrency"];

/** What the `metadata` of a task says about its attempts; undefined if it says nothing. */
export function compileScheduling(metadata: Fields, node: TaskNode, variables: Variables, compilation: Compilation): TaskScheduling | undefined {
  const { source, pointer } = metadata;
  // a stored document may be older than these names, which were its author's own then
  const violations = compilation.isStored ? new Violations() : compilation.violations;
  const fields = Fields.of(source, pointer, violations);
  for (const name of Object.keys(source)) {
    const meant = NAMES.includes(name) ? undefined : closest(name, LONG_NAMES);
    if (meant !== undefined) violations.add(fields.at(name), `unknown field ${name}. Did you mean ${meant}?`);
  }
  const given = NAMES.filter((name) => Object.hasOwn(source, name));
  if (given.length === 0) return undefined;
  if (node.kind !== "call" && node.kind !== "run") {
    for (const name of given) violations.add(fields.at(name), `${name} has no effect on this kind of task, only on call and run: move it there.`);
    return undefined;
  }
  const scheduling: TaskScheduling = {
    queue: compileQueue(fields, violations),
    priority: fields.integer("priority", 1, LAST_PRIORITY),
    concurrency: compileConcurrency(fields, variables, violations, compilation),
  };
  return compilation.isStored && !violations.none ? undefined : scheduling;
}

function compileQueue(metadata: Fields, violations: Violations): string | undefined {
  const queue = metadata.json("queue");
  const fault = queue === undefined ? undefined : queueFault(queue);
  if (fault !== undefined) violations.add(metadata.at("queue"), `${fault}.`);
  return fault === undefined ? (queue as string | undefined) : undefined;
}

function compileConcurrency(metadata: Fields, variables: Variables, violations: Violations, compilation: Compilation): TaskScheduling["concurrency"] {
  const concurrency = metadata.mapping("concurrency");
  if (concurrency === undefined) return undefined;
  const given = concurrency.requiredJson("key");
  concurrency.requiredJson("limit");
  const limit = concurrency.integer("limit", 1, LIMITS.slotsPerKey);
  concurrency.close();
  if (given === undefined || limit === undefined) return undefined;
  const key = compilation.expressions.template(typeof given === "number" ? String(given) : given, concurrency.at("key"), variables.inTask);
  const fault = key.constant === undefined ? undefined : keyFault(key.constant);
  if (fault !== undefined) violations.add(concurrency.at("key"), `${fault}, a number, or an expression that gives one of them.`);
  return { key: fault === undefined ? key : new ConstantTemplate(""), limit };
}
