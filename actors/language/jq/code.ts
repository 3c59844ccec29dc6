/**
 * What the compiler makes: closures. A filter that always gives one value is a plain function; any other calls `emit` for each value.
 * An emitter that has enough returns true, and that is passed on at once: no generator objects, no queues.
 */
import type { Json } from "../../json.ts";
import type { Environment } from "./machine.ts";
import type { Node } from "./syntax.ts";

/** Gives exactly one value. Throws JqFault. */
export type One = (env: Environment, input: Json) => Json;

/** Takes a value; true to be given no more. */
export type Emit = (value: Json) => boolean;

/** Emits any number of values; true if it was stopped. Throws JqFault. */
export type Many = (env: Environment, input: Json, emit: Emit) => boolean;

/** A compiled filter. */
export type Code = { readonly kind: "one"; readonly run: One } | { readonly kind: "many"; readonly run: Many };

/** A path in a value: keys, positions and slices. */
export type Path = readonly Json[];

/** Takes a path and what is there; true to be given no more. */
export type EmitPath = (path: Path, value: Json) => boolean;

/** Emits paths that begin with `path`, where `value` is. */
export type Paths = (env: Environment, path: Path, value: Json, emit: EmitPath) => boolean;

/** Names of the variables in force, innermost first; they stand at the same depth in the environment. */
export interface Names {
  readonly name: string;
  readonly parent: Names | undefined;
}

/** The compiler, as its parts see it. */
export interface Compiler {
  /** Throws OutsideSubset. */
  code(node: Node, names: Names | undefined): Code;
  /** The filter as a path expression. Throws OutsideSubset. */
  paths(node: Node, names: Names | undefined): Paths;
  /** The slot of a free variable. */
  slot(name: string): number;
}

/** A filter of one value. */
export function one(run: One): Code {
  return { kind: "one", run };
}

/** A filter of any number of values. */
export function many(run: Many): Code {
  return { kind: "many", run };
}

/** Any filter as one that emits. */
export function emitting(code: Code): Many {
  if (code.kind === "many") return code.run;
  const { run } = code;
  return (env, input, emit) => emit(run(env, input));
}

/**
 * The filter that applies `apply` to the values of `operands`. With many values, to all combinations: the first operand varies slowest.
 */
export function combine(operands: readonly Code[], apply: (env: Environment, values: readonly Json[], input: Json) => Json): Code {
  if (operands.every((operand) => operand.kind === "one")) {
    const runs = operands.map((operand) => operand.run);
    return one((env, input) =>
      apply(
        env,
        runs.map((run) => run(env, input)),
        input,
      ),
    );
  }
  return many(product(operands, (env, values, input, emit) => emit(apply(env, values, input))));
}

/** All combinations of the values of `operands`, the first varying slowest, each given to `use`. */
export function product(operands: readonly Code[], use: (env: Environment, values: readonly Json[], input: Json, emit: Emit) => boolean): Many {
  const runs = operands.map(emitting);
  const step = (env: Environment, values: readonly Json[], input: Json, emit: Emit): boolean => {
    const run = runs[values.length];
    if (run === undefined) return use(env, values, input, emit);
    return run(env, input, (value) => {
      env.machine.charge(1);
      return step(env, [...values, value], input, emit);
    });
  };
  return (env, input, emit) => step(env, [], input, emit);
}

/** All values, as an array. */
export function collect(code: Code, env: Environment, input: Json): Json[] {
  if (code.kind === "one") return [code.run(env, input)];
  const values: Json[] = [];
  code.run(env, input, (value) => {
    env.machine.charge(1);
    values.push(value);
    return false;
  });
  return values;
}
