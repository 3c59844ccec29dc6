/**
 * Compiles `.a`, `.[n]`, `.[from:to]` and `.[]`.
 */
import type { Json } from "../../json.ts";
import { field, index, slice, valuesOf } from "./access.ts";
import { type Code, type Compiler, combine, type Emit, many, type Names, type One, one, product } from "./code.ts";
import { unlessFault } from "./fault.ts";
import type { Environment } from "./machine.ts";
import { isArray } from "./ordering.ts";
import type { NodeOf } from "./syntax.ts";

/** `target.key`, `target[key]`. */
export function compileIndex(compiler: Compiler, node: NodeOf<"index">, names: Names | undefined): Code {
  const target = compiler.code(node.target, names);
  const key = compiler.code(node.key, names);
  if (node.optional) return optionally([key, target], (env, [at, value]) => index(env.machine, value as Json, at as Json));
  if (node.key.kind === "literal" && typeof node.key.value === "string") {
    const read = reader(node.key.value);
    if (target.kind === "many") return many((env, input, emit) => target.run(env, input, (value) => emit(read(value))));
    if (node.target.kind === "identity") return one((_env, input) => read(input));
    const { run } = target;
    return one((env, input) => read(run(env, input)));
  }
  if (target.kind === "one" && key.kind === "one") return one(indexed(target.run, key.run));
  return combine([key, target], (env, [at, value]) => index(env.machine, value as Json, at as Json));
}

/** `target[from:to]`. */
export function compileSlice(compiler: Compiler, node: NodeOf<"slice">, names: Names | undefined): Code {
  const bound = (side: typeof node.from): Code => (side === undefined ? one(() => null) : compiler.code(side, names));
  const operands = [bound(node.from), bound(node.to), compiler.code(node.target, names)];
  const apply: Apply = (env, [from, to, target]) => slice(env.machine, target as Json, from as Json, to as Json);
  return node.optional ? optionally(operands, apply) : combine(operands, apply);
}

/** `target[]`. */
export function compileIterate(compiler: Compiler, node: NodeOf<"iterate">, names: Names | undefined): Code {
  const target = compiler.code(node.target, names);
  const emitItems = (env: Environment, container: Json, emit: Emit): boolean => {
    if (node.optional && (typeof container !== "object" || container === null)) return false;
    const values = valuesOf(container);
    env.machine.charge(values.length);
    for (const value of values) if (emit(value)) return true;
    return false;
  };
  if (target.kind === "one") return many((env, input, emit) => emitItems(env, target.run(env, input), emit));
  return many((env, input, emit) => target.run(env, input, (container) => emitItems(env, container, emit)));
}

type Apply = (env: Environment, values: readonly Json[]) => Json;

/** As {@link combine}, but where `apply` faults there is no value. */
function optionally(operands: readonly Code[], apply: Apply): Code {
  return many(
    product(operands, (env, values, _input, emit) => {
      const value = unlessFault(() => apply(env, values));
      return value !== undefined && emit(value);
    }),
  );
}

/**
 * Reads the field of this name. A name that no object inherits can be read without asking whether it is the object's own: values of JSON
 * are never undefined.
 */
function reader(key: string): (value: Json) => Json {
  if (key in Object.prototype) return (value) => field(value, key);
  return (value) => {
    if (typeof value !== "object" || value === null || isArray(value)) return field(value, key);
    const found = (value as { readonly [key: string]: Json })[key];
    return found === undefined ? null : found;
  };
}

function indexed(target: One, key: One): One {
  return (env, input) => {
    const at = key(env, input);
    return index(env.machine, target(env, input), at);
  };
}
