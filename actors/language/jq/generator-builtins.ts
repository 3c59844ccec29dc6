/**
 * The builtins that give many values or cut a sequence of them: `empty`, `range`, `limit`, `recurse`, `paths` …
 */
import type { Json } from "../../json.ts";
import { index, item } from "./access.ts";
import { subtract } from "./arithmetic.ts";
import type { BuiltinCompiler } from "./builtins.ts";
import { type Emit, emitting, type Many, many, one, product } from "./code.ts";
import { JqFault } from "./fault.ts";
import type { Environment } from "./machine.ts";
import { compare, isArray, isTruthy } from "./ordering.ts";
import type { Node, NodeOf } from "./syntax.ts";

function argument(node: NodeOf<"call">, at: number): Node {
  return node.args[at] as Node;
}

function emitRange(env: Environment, from: Json, to: Json, by: Json, emit: Emit): boolean {
  if (typeof from !== "number" || typeof to !== "number" || typeof by !== "number") throw new JqFault("Range bounds must be numeric");
  for (let value = from; by > 0 ? value < to : by < 0 && value > to; value += by) {
    env.machine.charge(1);
    if (emit(value)) return true;
  }
  return false;
}

const range: BuiltinCompiler = (compiler, node, names) => {
  const args = node.args.map((arg) => compiler.code(arg, names));
  return many(
    product(args, (env, values, _input, emit) => {
      const [a, b, by] = values as readonly [Json, Json?, Json?];
      return b === undefined ? emitRange(env, 0, a, 1, emit) : emitRange(env, a, b, by ?? 1, emit);
    }),
  );
};

/** Emits the first `count` values of `generator`, at least one. */
function emitFirst(generator: Many, env: Environment, input: Json, count: Json, emit: Emit): boolean {
  let left = count;
  let stopped = false;
  generator(env, input, (value) => {
    left = subtract(env.machine, left, 1);
    stopped = emit(value);
    return stopped || compare(env.machine, left, 0) <= 0;
  });
  return stopped;
}

const limit: BuiltinCompiler = (compiler, node, names) => {
  const counts = emitting(compiler.code(argument(node, 0), names));
  const generator = emitting(compiler.code(argument(node, 1), names));
  return many((env, input, emit) =>
    counts(env, input, (count) => {
      const sign = compare(env.machine, count, 0);
      if (sign < 0) throw new JqFault("limit doesn't support negative count");
      return sign > 0 && emitFirst(generator, env, input, count, emit);
    }),
  );
};

const firstValue: BuiltinCompiler = (compiler, node, names) => {
  const generator = emitting(compiler.code(argument(node, 0), names));
  return many((env, input, emit) => emitFirst(generator, env, input, 1, emit));
};

const lastValue: BuiltinCompiler = (compiler, node, names) => {
  const generator = emitting(compiler.code(argument(node, 0), names));
  return many((env, input, emit) => {
    let last: Json | undefined;
    generator(env, input, (value) => {
      last = value;
      return false;
    });
    return last !== undefined && emit(last);
  });
};

const nthValue: BuiltinCompiler = (compiler, node, names) => {
  const counts = emitting(compiler.code(argument(node, 0), names));
  const generator = emitting(compiler.code(argument(node, 1), names));
  return many((env, input, emit) =>
    counts(env, input, (count) => {
      if (compare(env.machine, count, 0) < 0) throw new JqFault("nth doesn't support negative indices");
      let left = count;
      let found: Json | undefined;
      generator(env, input, (value) => {
        if (compare(env.machine, left, 1) < 0) {
          found = value;
          return true;
        }
        left = subtract(env.machine, left, 1);
        return false;
      });
      return found !== undefined && emit(found);
    }),
  );
};

/** Emits the input and everything that `children` gives, again and again. */
function recursion(children: Many): Many {
  const visit: Many = (env, input, emit) => {
    env.machine.charge(1);
    return emit(input) || children(env, input, (value) => visit(env, value, emit));
  };
  return visit;
}

const CHILDREN: Many = (env, input, emit) => {
  if (typeof input !== "object" || input === null) return false;
  const items = isArray(input) ? input : Object.values(input);
  env.machine.charge(items.length);
  for (const value of items) if (emit(value)) return true;
  return false;
};

const recurseWhile: BuiltinCompiler = (compiler, node, names) => {
  const step = emitting(compiler.code(argument(node, 0), names));
  const condition = emitting(compiler.code(argument(node, 1), names));
  return many(recursion((env, input, emit) => step(env, input, (value) => condition(env, value, (test) => isTruthy(test) && emit(value)))));
};

const pathsOf: BuiltinCompiler = (compiler, node, names) => {
  const paths = compiler.paths({ kind: "call", name: "recurse", args: [] }, names);
  const filter = node.args[0];
  const condition: Many = filter === undefined ? (_env, _input, emit) => emit(true) : emitting(compiler.code(filter, names));
  return many((env, input, emit) =>
    paths(env, [], input, (path, value) => condition(env, value, (test) => isTruthy(test) && path.length > 0 && emit(path))),
  );
};

const pathOf: BuiltinCompiler = (compiler, node, names) => {
  const paths = compiler.paths(argument(node, 0), names);
  return many((env, input, emit) => paths(env, [], input, (path) => emit(path)));
};

const isEmpty: BuiltinCompiler = (compiler, node, names) => {
  const generator = emitting(compiler.code(argument(node, 0), names));
  return one((env, input) => !generator(env, input, () => true));
};

/** `while(condition; update)`: emits the states for which the condition holds. */
const whileLoop: BuiltinCompiler = (compiler, node, names) => {
  const condition = compiler.code(argument(node, 0), names);
  const update = compiler.code(argument(node, 1), names);
  if (condition.kind === "one" && update.kind === "one") {
    return many((env, input, emit) => {
      for (let state = input; isTruthy(condition.run(env, state)); state = update.run(env, state)) {
        env.machine.charge(1);
        if (emit(state)) return true;
      }
      return false;
    });
  }
  const test = emitting(condition);
  const step = emitting(update);
  const visit: Many = (env, input, emit) => {
    env.machine.charge(1);
    return test(env, input, (result) => isTruthy(result) && (emit(input) || step(env, input, (value) => visit(env, value, emit))));
  };
  return many(visit);
};

/** `until(condition; update)`: emits the first state for which the condition holds. */
const untilLoop: BuiltinCompiler = (compiler, node, names) => {
  const condition = compiler.code(argument(node, 0), names);
  const update = compiler.code(argument(node, 1), names);
  if (condition.kind === "one" && update.kind === "one") {
    return one((env, input) => {
      let state = input;
      while (!isTruthy(condition.run(env, state))) {
        env.machine.charge(1);
        state = update.run(env, state);
      }
      return state;
    });
  }
  const test = emitting(condition);
  const step = emitting(update);
  const visit: Many = (env, input, emit) => {
    env.machine.charge(1);
    return test(env, input, (result) => (isTruthy(result) ? emit(input) : step(env, input, (value) => visit(env, value, emit))));
  };
  return many(visit);
};

const raise: BuiltinCompiler = (compiler, node, names) => {
  const message = emitting(node.args.length === 0 ? one((_env, input) => input) : compiler.code(argument(node, 0), names));
  return many((env, input) =>
    message(env, input, (value) => {
      throw new JqFault(value);
    }),
  );
};

/** The builtins, by signature. */
export const GENERATOR_BUILTINS: ReadonlyMap<string, BuiltinCompiler> = new Map<string, BuiltinCompiler>([
  ["empty/0", () => many(() => false)],
  ["error/0", raise],
  ["error/1", raise],
  ["range/1", range],
  ["range/2", range],
  ["range/3", range],
  ["limit/2", limit],
  ["first/0", () => one((env, input) => index(env.machine, input, 0))],
  ["last/0", () => one((env, input) => (isArray(input) ? item(input, -1) : index(env.machine, input, -1)))],
  ["first/1", firstValue],
  ["last/1", lastValue],
  ["nth/2", nthValue],
  ["recurse/0", () => many(recursion(CHILDREN))],
  ["recurse/1", (compiler, node, names) => many(recursion(emitting(compiler.code(argument(node, 0), names))))],
  ["recurse/2", recurseWhile],
  ["paths/0", pathsOf],
  ["paths/1", pathsOf],
  ["path/1", pathOf],
  ["isempty/1", isEmpty],
  ["while/2", whileLoop],
  ["until/2", untilLoop],
]);
