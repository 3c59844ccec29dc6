/**
 * The builtins by signature (`name/arity`). What isn't here is outside the subset.
 */
import { CLOSURE_BUILTINS } from "./closure-builtins.ts";
import { type Code, type Compiler, combine, many, type Names, one } from "./code.ts";
import { GENERATOR_BUILTINS } from "./generator-builtins.ts";
import { SORTING_BUILTINS } from "./sorting-builtins.ts";
import { type NodeOf, OutsideSubset } from "./syntax.ts";
import { TYPE_SELECTORS } from "./type-selectors.ts";
import { VALUE_FUNCTIONS } from "./value-functions.ts";

/** Compiles a call of one builtin. */
export type BuiltinCompiler = (compiler: Compiler, node: NodeOf<"call">, names: Names | undefined) => Code;

/** The compiler of a call. Of several arguments the last varies slowest. Throws OutsideSubset if the builtin isn't known. */
export function builtin(node: NodeOf<"call">): BuiltinCompiler {
  const signature = `${node.name}/${node.args.length}`;
  const found = CLOSURE_BUILTINS.get(signature) ?? GENERATOR_BUILTINS.get(signature) ?? SORTING_BUILTINS.get(signature) ?? valueFunction(signature);
  if (found === undefined) throw new OutsideSubset(signature);
  return found;
}

function valueFunction(signature: string): BuiltinCompiler | undefined {
  const select = TYPE_SELECTORS.get(signature);
  if (select !== undefined) return () => many((_env, input, emit) => select(input) && emit(input));
  const apply = VALUE_FUNCTIONS.get(signature);
  if (apply === undefined) return undefined;
  return (compiler, node, names) => {
    if (node.args.length === 0) return one((env, input) => apply(env.machine, input, []));
    const args = node.args.map((arg) => compiler.code(arg, names));
    return combine(args.toReversed(), (env, values, input) => apply(env.machine, input, values.length === 1 ? values : values.toReversed()));
  };
}
