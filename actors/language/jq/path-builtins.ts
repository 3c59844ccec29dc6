/**
 * The builtins that are path expressions: `select`, `recurse`, `first`, `getpath` and the like.
 */
import type { Json } from "../../json.ts";
import { index, valuesOf } from "./access.ts";
import { type Compiler, emitting, type Names, type Path, type Paths } from "./code.ts";
import { JqFault } from "./fault.ts";
import { isArray, isTruthy } from "./ordering.ts";
import { getPath } from "./paths.ts";
import { type Node, type NodeOf, OutsideSubset } from "./syntax.ts";
import { TYPE_SELECTORS } from "./type-selectors.ts";

type PathCompiler = (compiler: Compiler, node: NodeOf<"call">, names: Names | undefined) => Paths;

/** The compiler of a builtin as a path expression. Throws OutsideSubset if there is none. */
export function pathBuiltin(node: NodeOf<"call">): PathCompiler {
  const signature = `${node.name}/${node.args.length}`;
  const found = PATH_BUILTINS.get(signature) ?? selector(signature);
  if (found === undefined) throw new OutsideSubset(`${signature} as a path`);
  return found;
}

function argument(node: NodeOf<"call">, at: number): Node {
  return node.args[at] as Node;
}

/** Emits the place and everything below it, `children` giving the way down. */
function descend(children: Paths): Paths {
  const visit: Paths = (env, path, value, emit) => {
    env.machine.charge(1);
    return emit(path, value) || children(env, path, value, (place, inner) => visit(env, place, inner, emit));
  };
  return visit;
}

/** Emits one of the places that `body` emits: the first, at which it stops, or the last. */
function oneOf(body: Paths, isFirst: boolean): Paths {
  return (env, path, value, emit) => {
    let found: { readonly path: Path; readonly value: Json } | undefined;
    body(env, path, value, (place, inner) => {
      found = { path: place, value: inner };
      return isFirst;
    });
    return found !== undefined && emit(found.path, found.value);
  };
}

const CHILDREN: Paths = (env, path, value, emit) => {
  if (typeof value !== "object" || value === null) return false;
  const items = valuesOf(value);
  env.machine.charge(items.length * (1 + path.length));
  const keys: readonly (string | number)[] = isArray(value) ? [...items.keys()] : Object.keys(value);
  return items.some((item, at) => emit([...path, keys[at] as Json], item));
};

function fixedIndex(position: number): PathCompiler {
  return () => (env, path, value, emit) => emit([...path, position], index(env.machine, value, position));
}

function selector(signature: string): PathCompiler | undefined {
  const test = TYPE_SELECTORS.get(signature);
  return test === undefined ? undefined : () => (_env, path, value, emit) => test(value) && emit(path, value);
}

const PATH_BUILTINS: ReadonlyMap<string, PathCompiler> = new Map<string, PathCompiler>([
  ["empty/0", () => () => false],
  [
    "error/0",
    () => (_env, _path, value) => {
      throw new JqFault(value);
    },
  ],
  ["first/0", fixedIndex(0)],
  ["last/0", fixedIndex(-1)],
  ["recurse/0", () => descend(CHILDREN)],
  ["recurse/1", (compiler, node, names) => descend(compiler.paths(argument(node, 0), names))],
  [
    "select/1",
    (compiler, node, names) => {
      const condition = emitting(compiler.code(argument(node, 0), names));
      return (env, path, value, emit) => condition(env, value, (test) => isTruthy(test) && emit(path, value));
    },
  ],
  ["first/1", (compiler, node, names) => oneOf(compiler.paths(argument(node, 0), names), true)],
  ["last/1", (compiler, node, names) => oneOf(compiler.paths(argument(node, 0), names), false)],
  [
    "getpath/1",
    (compiler, node, names) => {
      const argumentOf = emitting(compiler.code(argument(node, 0), names));
      return (env, path, value, emit) =>
        argumentOf(env, value, (keys) => {
          if (!isArray(keys)) throw new JqFault("Path must be specified as an array");
          env.machine.charge(1 + keys.length);
          return emit([...path, ...keys], getPath(env.machine, value, keys));
        });
    },
  ],
]);
