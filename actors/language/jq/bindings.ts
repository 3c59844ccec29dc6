/**
 * Compiles `$name` and `source as pattern | body`. A bound variable stands at a known depth of the environment; a free one is asked of
 * the scope.
 */
import type { Json } from "../../json.ts";
import { field, index } from "./access.ts";
import { type Code, type Compiler, emitting, many, type Names, one } from "./code.ts";
import type { Environment } from "./machine.ts";
import type { NodeOf, Pattern } from "./syntax.ts";

/** `$name`. */
export function compileVariable(compiler: Compiler, node: NodeOf<"variable">, names: Names | undefined): Code {
  const depth = depthOf(node.name, names);
  if (depth === 0) return one((env) => env.value);
  if (depth !== undefined) return one((env) => ancestor(env, depth).value);
  const slot = compiler.slot(node.name);
  return one((env) => {
    const value = env.machine.variable(slot);
    if (value === undefined) throw new UnknownVariable(node.name);
    return value;
  });
}

/** `source as pattern | body`. */
export function compileBind(compiler: Compiler, node: NodeOf<"bind">, names: Names | undefined): Code {
  const source = compiler.code(node.source, names);
  const body = compiler.code(node.body, bound(node.pattern, names));
  const bind = binder(node.pattern);
  if (source.kind === "one" && body.kind === "one") return one((env, input) => body.run(bind(env, source.run(env, input)), input));
  const values = emitting(source);
  const run = emitting(body);
  return many((env, input, emit) => values(env, input, (value) => run(bind(env, value), input, emit)));
}

/** The names with those of a pattern added, in the order in which {@link binder} adds their values. */
export function bound(pattern: Pattern, names: Names | undefined): Names | undefined {
  return variablesOf(pattern).reduce<Names | undefined>((parent, name) => ({ name, parent }), names);
}

/** Adds the values of a pattern's variables to an environment. Throws JqFault if the value hasn't the pattern's form. */
export function binder(pattern: Pattern): (env: Environment, value: Json) => Environment {
  if (pattern.kind === "name") return (env, value) => ({ machine: env.machine, value, parent: env });
  if (pattern.kind === "items") {
    const binders = pattern.items.map(binder);
    return (env, value) => binders.reduceRight((inner, bind, at) => bind(inner, index(env.machine, value, at)), env);
  }
  const binders = pattern.fields.map((part) => {
    const bind = part.pattern === undefined ? undefined : binder(part.pattern);
    return (env: Environment, value: Json): Environment => {
      const inner = field(value, part.key);
      const named = part.name === undefined ? env : { machine: env.machine, value: inner, parent: env };
      return bind === undefined ? named : bind(named, inner);
    };
  });
  return (env, value) => binders.reduce((inner, bind) => bind(inner, value), env);
}

/** The scope has no such variable. A fault of the program's author, yet one that `try` can't hide. */
export class UnknownVariable extends Error {
  override readonly name = "UnknownVariable";

  constructor(variable: string) {
    super(`$${variable} is not defined`);
  }
}

function variablesOf(pattern: Pattern): readonly string[] {
  if (pattern.kind === "name") return [pattern.name];
  if (pattern.kind === "items") return pattern.items.toReversed().flatMap(variablesOf);
  return pattern.fields.flatMap(({ name, pattern: inner }) => [
    ...(name === undefined ? [] : [name]),
    ...(inner === undefined ? [] : variablesOf(inner)),
  ]);
}

function depthOf(name: string, names: Names | undefined): number | undefined {
  let depth = 0;
  for (let entry = names; entry !== undefined; entry = entry.parent) {
    if (entry.name === name) return depth;
    depth += 1;
  }
  return undefined;
}

function ancestor(env: Environment, depth: number): Environment {
  let entry = env;
  for (let left = depth; left > 0; left--) entry = entry.parent as Environment;
  return entry;
}
