/**
 * Tasks and lists of tasks. What every task has is compiled here; what its kind adds, in a file per kind.
 *
 * A task takes its number before the tasks inside it; a compensation takes its numbers after the task's own inner tasks (see model.ts).
 */

import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import { DIRECTIVE_WORDS, TaskNames } from "../directive.ts";
import { Fields } from "../fields.ts";
import type { DoNode, TaskBase, TaskNode } from "../model.ts";
import { pointerTo } from "../pointer.ts";
import { closest, listed } from "../suggest.ts";
import { Variables } from "../variables.ts";
import { compileCall } from "./call.ts";
import { CONTINUE, type Compilation, type ListCompiler, type TaskSite } from "./compilation.ts";
import { compileDo, compileFor, compileFork } from "./containers.ts";
import { compileInput, compileOutput, compileTimeout } from "./data-flow.ts";
import { compileRun } from "./run.ts";
import { compileScheduling } from "./scheduling.ts";
import { compileRaise, compileSet, compileSwitch, compileWait } from "./simple.ts";
import { compileThen } from "./then.ts";
import { compileTry } from "./try-catch.ts";

type KindCompiler = (fields: Fields, site: TaskSite, compilation: Compilation, lists: ListCompiler) => TaskNode;

/** By the field that makes a task one of the kind. `for` stands before `do`, which it has too. */
const KINDS: Readonly<Record<string, KindCompiler>> = {
  call: compileCall,
  for: compileFor,
  do: compileDo,
  fork: compileFork,
  raise: compileRaise,
  run: compileRun,
  set: compileSet,
  switch: compileSwitch,
  try: compileTry,
  wait: compileWait,
};
const UNSUPPORTED_KINDS = ["emit", "listen"];
/** Fields that a misspelt kind is not mistaken for. */
const COMMON_FIELDS = ["if", "input", "output", "export", "timeout", "then", "metadata", "with", "catch", "while"];

/** The tasks of one document. */
export class TaskCompiler implements ListCompiler {
  readonly #compilation: Compilation;

  constructor(compilation: Compilation) {
    this.#compilation = compilation;
  }

  tasks(value: Json | undefined, pointer: string, variables: Variables): readonly TaskNode[] {
    const items = this.#items(value, pointer);
    return this.#all(items, new TaskNames(items.map(({ name }) => name)), variables);
  }

  branches(value: Json | undefined, pointer: string, variables: Variables): readonly TaskNode[] {
    return this.#all(this.#items(value, pointer), new TaskNames([]), variables);
  }

  body(name: string, value: Json | undefined, pointer: string, variables: Variables): DoNode {
    const base = bareBase(this.#compilation.number(pointer), name, pointer, value ?? []);
    return { ...base, kind: "do", tasks: this.tasks(value, pointer, variables) };
  }

  #all(items: readonly Item[], names: TaskNames, variables: Variables): readonly TaskNode[] {
    const tasks: TaskNode[] = [];
    for (const item of items) {
      if (this.#compilation.exhausted) break;
      tasks.push(this.#task(item, names, variables));
    }
    return tasks;
  }

  #items(value: Json | undefined, pointer: string): readonly Item[] {
    const { violations } = this.#compilation;
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      violations.add(pointer, "must be a list of tasks, each beginning with - and a name.");
      return [];
    }
    return (value as readonly Json[]).map((item, index) => {
      const fields = Fields.of(item, pointerTo(pointer, index), violations);
      const [name = "", ...more] = Object.keys(fields.source);
      if (more.length > 0) {
        const names = listed([name, ...more]);
        violations.add(fields.pointer, `a task is one name with its definition below it; here are ${names}: indent the definition under the name.`);
      } else this.#checkName(name, fields.pointer);
      return { name, pointer: pointerTo(fields.pointer, name), value: more.length > 0 ? undefined : fields.source[name] };
    });
  }

  #checkName(name: string, pointer: string): void {
    const { violations } = this.#compilation;
    if (name === "" || name.length > LIMITS.keyLength) violations.add(pointer, `a task needs a name of 1 to ${LIMITS.keyLength} characters.`);
    if (DIRECTIVE_WORDS.includes(name)) violations.add(pointerTo(pointer, name), `${name} is a flow directive: give the task another name.`);
  }

  #task(item: Item, names: TaskNames, variables: Variables): TaskNode {
    const compilation = this.#compilation;
    const { name, pointer, value } = item;
    const id = compilation.number(pointer);
    if (value === undefined) return { ...bareBase(id, name, pointer, null), kind: "do", tasks: [] };
    const fields = Fields.of(value, pointer, compilation.violations);
    const { expressions } = compilation;
    const base: TaskBase = {
      id,
      name,
      pointer,
      if: expressions.expression(fields.json("if"), fields.at("if"), variables.beforeInput),
      input: compileInput(fields, variables.beforeInput, compilation),
      output: compileOutput(fields, "output", variables.inTask, compilation),
      export: compileOutput(fields, "export", variables.inExport, compilation),
      timeout: compileTimeout(fields, variables.inTask, compilation),
      // biome-ignore lint/suspicious/noThenProperty: the name that the specification gives it; never a function
      then: compileThen(fields, names, compilation),
      compensation: undefined,
      scheduling: undefined,
      definition: value,
    };
    const kind = this.#kind(fields);
    const node = kind?.(fields, { base, variables, names }, compilation, this) ?? { ...base, kind: "do", tasks: [] };
    const metadata = fields.mapping("metadata");
    const compensation = metadata && this.#compensation(metadata, fields);
    const scheduling = metadata && compileScheduling(metadata, node, variables, compilation);
    if (kind !== undefined) fields.close();
    return { ...node, compensation, scheduling };
  }

  #kind(fields: Fields): KindCompiler | undefined {
    const { violations } = this.#compilation;
    if (UNSUPPORTED_KINDS.filter((name) => fields.unsupported(name)).length > 0) return undefined;
    const present = Object.keys(KINDS).filter(
      (name) => Object.hasOwn(fields.source, name) && !(name === "do" && Object.hasOwn(fields.source, "for")),
    );
    const [first, ...more] = present;
    if (first !== undefined && more.length === 0) return KINDS[first];
    if (first === undefined && fields.present) violations.add(fields.pointer, noKind(Object.keys(fields.source)));
    if (more.length > 0) violations.add(fields.pointer, `is of several kinds at once (${listed(present)}): make each a task of its own.`);
    return undefined;
  }

  /** `metadata.compensate` of the task that `fields` reads. */
  #compensation(metadata: Fields, fields: Fields): DoNode | undefined {
    const { violations } = this.#compilation;
    const value = metadata.json("compensate");
    if (value === undefined) {
      const misspelt = Object.keys(metadata.source).find((name) => closest(name, ["compensate"]) !== undefined);
      if (misspelt !== undefined) violations.add(metadata.at(misspelt), `unknown field ${misspelt}. Did you mean compensate?`);
      return undefined;
    }
    const pointer = metadata.at("compensate");
    if (fields.pointer.includes("/metadata/compensate/")) violations.add(pointer, "a compensation can't have a compensation itself: remove it.");
    // loops and catches around the task are over when it is undone: their variables do not exist here
    return this.body("compensate", value, pointer, new Variables());
  }
}

interface Item {
  readonly name: string;
  readonly pointer: string;
  /** The definition; undefined if there is none that could be compiled. */
  readonly value: Json | undefined;
}

/** A task with nothing but its place: a body, or the root. */
function bareBase(id: number, name: string, pointer: string, definition: Json): TaskBase {
  return {
    id,
    name,
    pointer,
    if: undefined,
    input: { schema: undefined, from: undefined },
    output: { as: undefined, schema: undefined },
    export: { as: undefined, schema: undefined },
    timeout: undefined,
    // biome-ignore lint/suspicious/noThenProperty: the name that the specification gives it; never a function
    then: CONTINUE,
    compensation: undefined,
    scheduling: undefined,
    definition,
  };
}

function noKind(names: readonly string[]): string {
  const kinds = Object.keys(KINDS);
  const candidates = names.filter((name) => !COMMON_FIELDS.includes(name));
  for (const name of candidates) {
    const meant = closest(name, kinds);
    if (meant !== undefined) return `names no kind of task. Did you mean ${meant} instead of ${name}?`;
  }
  return `names no kind of task: give it one of ${kinds.join(", ")}.`;
}
