/**
 * Compiles the construction of arrays, objects and interpolated strings.
 */
import type { Json } from "../../json.ts";
import { type MutableObject, put } from "./access.ts";
import { type Code, type Compiler, collect, combine, many, type Names, one, product } from "./code.ts";
import { describe, JqFault } from "./fault.ts";
import { type Node, type NodeOf, OutsideSubset } from "./syntax.ts";
import { textOf } from "./text.ts";

/** `[body]`. */
export function compileArray(compiler: Compiler, node: NodeOf<"array">, names: Names | undefined): Code {
  if (node.body === undefined) return one(() => []);
  const body = compiler.code(node.body, names);
  return one((env, input) => collect(body, env, input));
}

/** `{ … }`. With many values for a key or a field: all combinations, the first varying slowest. */
export function compileObject(compiler: Compiler, node: NodeOf<"object">, names: Names | undefined): Code {
  if (node.fields.some(({ key }) => isConstantOther(key))) throw new OutsideSubset("a key that is never a string");
  const keys = node.fields.map((field) => compiler.code(field.key, names));
  const values = node.fields.map((field) => compiler.code(field.value, names));
  const literals = node.fields.map(({ key }) => (key.kind === "literal" && typeof key.value === "string" ? key.value : undefined));
  if (values.every((value) => value.kind === "one") && literals.every((key) => key !== undefined)) {
    const runs = values.map((value) => value.run);
    return one((env, input) => {
      const object: MutableObject = {};
      for (let at = 0; at < runs.length; at++) put(object, literals[at] as string, (runs[at] as (typeof runs)[number])(env, input));
      return object;
    });
  }
  const operands = keys.flatMap((key, at) => [key, values[at] as Code]);
  return combine(operands, (_env, parts) => fromParts(parts));
}

/** `"a\(b)c"`. With many values: all combinations, the last interpolation varying slowest. */
export function compileText(compiler: Compiler, node: NodeOf<"text">, names: Names | undefined): Code {
  const filters = node.parts.filter((part) => typeof part !== "string").map((part) => compiler.code(part, names));
  const operands = filters.toReversed();
  const plural = operands.some((operand) => operand.kind === "many");
  const render = (env: Parameters<Code["run"]>[0], values: readonly Json[]): string => {
    let next = values.length;
    let text = "";
    for (const part of node.parts) {
      if (typeof part === "string") text += part;
      else {
        next -= 1;
        text += textOf(env.machine, values[next] as Json);
      }
    }
    env.machine.chargeText(text.length);
    return text;
  };
  if (!plural) return combine(operands, render);
  return many(product(operands, (env, values, _input, emit) => emit(render(env, values))));
}

function fromParts(parts: readonly Json[]): Json {
  const object: MutableObject = {};
  for (let at = 0; at < parts.length; at += 2) {
    const key = parts[at] as Json;
    if (typeof key !== "string") throw new JqFault(`Cannot use ${describe(key)} as object key`);
    put(object, key, parts[at + 1] as Json);
  }
  return object;
}

/** Constants that are no strings: jq refuses them when it compiles. */
function isConstantOther(key: Node): boolean {
  return key.kind === "array" || key.kind === "object" || key.kind === "negate" || (key.kind === "literal" && typeof key.value !== "string");
}
