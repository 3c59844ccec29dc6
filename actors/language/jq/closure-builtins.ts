/**
 * The builtins that take filters: `map`, `select`, `any`, `with_entries`, `del` …
 */
import type { Json } from "../../json.ts";
import { valuesOf } from "./access.ts";
import type { BuiltinCompiler } from "./builtins.ts";
import { type Code, emitting, many, type One, one, type Path } from "./code.ts";
import { entriesOf, fromEntries } from "./entries.ts";
import type { Environment } from "./machine.ts";
import { equals, isArray, isTruthy } from "./ordering.ts";
import { deletePaths } from "./paths.ts";
import { Sum } from "./sum.ts";
import type { Node, NodeOf } from "./syntax.ts";
import { modifying } from "./updates.ts";

const ITEMS: Node = { kind: "iterate", target: { kind: "identity" }, optional: false };
const IDENTITY: Node = { kind: "identity" };

/** The argument at a place, or what stands for it. */
function argument(node: NodeOf<"call">, at: number, missing: Node = IDENTITY): Node {
  return node.args[at] ?? missing;
}

/** `[.[] | f]` as a function of the items. */
function mapping(code: Code): (env: Environment, items: readonly Json[]) => Json[] {
  if (code.kind === "one") {
    const { run } = code;
    return (env, items) => {
      env.machine.charge(items.length);
      return items.map((item) => run(env, item));
    };
  }
  const { run } = code;
  return (env, items) => {
    env.machine.charge(items.length);
    const mapped: Json[] = [];
    const push = (value: Json): boolean => {
      env.machine.charge(1);
      mapped.push(value);
      return false;
    };
    for (const item of items) run(env, item, push);
    return mapped;
  };
}

const map: BuiltinCompiler = (compiler, node, names) => {
  const apply = mapping(compiler.code(argument(node, 0), names));
  return one((env, input) => apply(env, valuesOf(input)));
};

const select: BuiltinCompiler = (compiler, node, names) => {
  const condition = compiler.code(argument(node, 0), names);
  if (condition.kind === "one") {
    const { run } = condition;
    return many((env, input, emit) => isTruthy(run(env, input)) && emit(input));
  }
  return many((env, input, emit) => condition.run(env, input, (test) => isTruthy(test) && emit(input)));
};

const withEntries: BuiltinCompiler = (compiler, node, names) => {
  const apply = mapping(compiler.code(argument(node, 0), names));
  return one((env, input) => fromEntries(env.machine, apply(env, entriesOf(env.machine, input))));
};

/** `any` and `all`, of the items or of a generator, with or without a condition. */
function quantifier(decisive: boolean): BuiltinCompiler {
  return (compiler, node, names) => {
    const generator = emitting(compiler.code(node.args.length === 2 ? argument(node, 0) : ITEMS, names));
    const condition = emitting(compiler.code(argument(node, node.args.length - 1), names));
    const test: One = (env, input) => {
      const decided = generator(env, input, (value) => condition(env, value, (result) => isTruthy(result) === decisive));
      return decided ? decisive : !decisive;
    };
    return one(test);
  };
}

const sum: BuiltinCompiler = (compiler, node, names) => {
  const generator = emitting(compiler.code(argument(node, 0, ITEMS), names));
  return one((env, input) => {
    const total = new Sum(env.machine);
    generator(env, input, (value) => {
      total.add(value);
      return false;
    });
    return total.value;
  });
};

const del: BuiltinCompiler = (compiler, node, names) => {
  const paths = compiler.paths(argument(node, 0), names);
  return one((env, input) => {
    const doomed: Path[] = [];
    paths(env, [], input, (path) => {
      doomed.push(path);
      return false;
    });
    return deletePaths(env.machine, input, doomed);
  });
};

const mapValues: BuiltinCompiler = (compiler, node, names) => one(modifying(compiler.paths(ITEMS, names), compiler.code(argument(node, 0), names)));

/** `walk(f)`: applies `f` to every part, from the innermost outwards. */
const walk: BuiltinCompiler = (compiler, node, names) => {
  const apply = emitting(compiler.code(argument(node, 0), names));
  const paths = compiler.paths(ITEMS, names);
  const visit = (env: Environment, input: Json, emit: (value: Json) => boolean): boolean => {
    env.machine.charge(1);
    if (isArray(input)) return apply(env, mapping(many(visit))(env, input), emit);
    if (typeof input === "object" && input !== null) return apply(env, modifying(paths, many(visit))(env, input), emit);
    return apply(env, input, emit);
  };
  return many(visit);
};

/** `IN(s)`: whether the input is among the values; `IN(source; s)`: whether any of the source's is. */
const isIn: BuiltinCompiler = (compiler, node, names) => {
  const source = emitting(compiler.code(node.args.length === 2 ? argument(node, 0) : IDENTITY, names));
  const values = emitting(compiler.code(argument(node, node.args.length - 1), names));
  return one((env, input) => values(env, input, (value) => source(env, input, (wanted) => equals(env.machine, value, wanted))));
};

/** The builtins, by signature. */
export const CLOSURE_BUILTINS: ReadonlyMap<string, BuiltinCompiler> = new Map<string, BuiltinCompiler>([
  ["map/1", map],
  ["map_values/1", mapValues],
  ["select/1", select],
  ["with_entries/1", withEntries],
  ["any/0", quantifier(true)],
  ["any/1", quantifier(true)],
  ["any/2", quantifier(true)],
  ["all/0", quantifier(false)],
  ["all/1", quantifier(false)],
  ["all/2", quantifier(false)],
  ["add/0", sum],
  ["add/1", sum],
  ["del/1", del],
  ["walk/1", walk],
  ["IN/1", isIn],
  ["IN/2", isIn],
]);
