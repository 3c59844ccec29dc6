/**
 * Compiles filters as path expressions: what may stand on the left of an update, and in `del` and `path`.
 */
import type { Json } from "../../json.ts";
import { index, slice, valuesOf } from "./access.ts";
import { binder, bound } from "./bindings.ts";
import { type Compiler, collect, emitting, type Names, type Path, type Paths } from "./code.ts";
import { catching } from "./control.ts";
import { unlessFault } from "./fault.ts";
import { isArray, isTruthy } from "./ordering.ts";
import { pathBuiltin } from "./path-builtins.ts";
import { type Node, type NodeOf, OutsideSubset } from "./syntax.ts";

/** The paths of a filter. Throws OutsideSubset if it is not a path expression, or not one of the subset. */
export function compilePaths(compiler: Compiler, node: Node, names: Names | undefined): Paths {
  switch (node.kind) {
    case "identity":
      return (_env, path, value, emit) => emit(path, value);
    case "index":
      return indexPaths(compiler, node, names);
    case "slice":
      return slicePaths(compiler, node, names);
    case "iterate":
      return iteratePaths(compiler, node, names);
    case "pipe":
      return pipePaths(compiler.paths(node.left, names), compiler.paths(node.right, names));
    case "comma":
      return commaPaths(compiler.paths(node.left, names), compiler.paths(node.right, names));
    case "alternative":
      return alternativePaths(compiler, node, names);
    case "if":
      return ifPaths(compiler, node, names);
    case "try":
      return tryPaths(compiler, node, names);
    case "bind":
      return bindPaths(compiler, node, names);
    case "call":
      return pathBuiltin(node)(compiler, node, names);
    default:
      throw new OutsideSubset(`${node.kind} as a path`);
  }
}

function indexPaths(compiler: Compiler, node: NodeOf<"index">, names: Names | undefined): Paths {
  const target = compiler.paths(node.target, names);
  const key = emitting(compiler.code(node.key, names));
  return (env, path, value, emit) =>
    key(env, value, (at) =>
      target(env, path, value, (prefix, container) => {
        env.machine.charge(1 + prefix.length);
        const read = (): Json => index(env.machine, container, at);
        const part = node.optional ? unlessFault(read) : read();
        return part !== undefined && emit([...prefix, at], part);
      }),
    );
}

function slicePaths(compiler: Compiler, node: NodeOf<"slice">, names: Names | undefined): Paths {
  const target = compiler.paths(node.target, names);
  const bounds = [node.from, node.to].map((side) => (side === undefined ? undefined : emitting(compiler.code(side, names))));
  const eachBound = (side: number, ...[env, value, use]: [Parameters<Paths>[0], Json, (bound: Json) => boolean]): boolean => {
    const run = bounds[side];
    return run === undefined ? use(null) : run(env, value, use);
  };
  return (env, path, value, emit) =>
    eachBound(0, env, value, (start) =>
      eachBound(1, env, value, (end) =>
        target(env, path, value, (prefix, container) => {
          env.machine.charge(1 + prefix.length);
          const read = (): Json => slice(env.machine, container, start, end);
          const part = node.optional ? unlessFault(read) : read();
          return part !== undefined && emit([...prefix, { start, end }], part);
        }),
      ),
    );
}

function iteratePaths(compiler: Compiler, node: NodeOf<"iterate">, names: Names | undefined): Paths {
  const target = compiler.paths(node.target, names);
  return (env, path, value, emit) =>
    target(env, path, value, (prefix, container) => {
      if (node.optional && (typeof container !== "object" || container === null)) return false;
      const items = valuesOf(container);
      const keys: readonly (string | number)[] = isArray(container) ? [...items.keys()] : Object.keys(container as object);
      env.machine.charge(items.length * (1 + prefix.length));
      return items.some((item, at) => emit([...prefix, keys[at] as Json], item));
    });
}

function pipePaths(left: Paths, right: Paths): Paths {
  return (env, path, value, emit) => left(env, path, value, (prefix, inner) => right(env, prefix, inner, emit));
}

function commaPaths(left: Paths, right: Paths): Paths {
  return (env, path, value, emit) => left(env, path, value, emit) || right(env, path, value, emit);
}

function alternativePaths(compiler: Compiler, node: NodeOf<"alternative">, names: Names | undefined): Paths {
  const left = compiler.paths(node.left, names);
  const right = compiler.paths(node.right, names);
  return (env, path, value, emit) => {
    let found = false;
    const stopped = left(env, path, value, (place, inner) => {
      if (!isTruthy(inner)) return false;
      found = true;
      return emit(place, inner);
    });
    return found ? stopped : right(env, path, value, emit);
  };
}

function ifPaths(compiler: Compiler, node: NodeOf<"if">, names: Names | undefined): Paths {
  const condition = compiler.code(node.condition, names);
  const then = compiler.paths(node.then, names);
  const otherwise = compiler.paths(node.otherwise ?? { kind: "identity" }, names);
  return (env, path, value, emit) => collect(condition, env, value).some((test) => (isTruthy(test) ? then : otherwise)(env, path, value, emit));
}

function tryPaths(compiler: Compiler, node: NodeOf<"try">, names: Names | undefined): Paths {
  if (node.handler !== undefined) throw new OutsideSubset("catch in a path");
  const body = compiler.paths(node.body, names);
  return (env, path, value, emit) => catchingPaths((guarded) => body(env, path, value, guarded), emit);
}

function bindPaths(compiler: Compiler, node: NodeOf<"bind">, names: Names | undefined): Paths {
  const source = emitting(compiler.code(node.source, names));
  const body = compiler.paths(node.body, bound(node.pattern, names));
  const bind = binder(node.pattern);
  return (env, path, value, emit) => source(env, value, (part) => body(bind(env, part), path, value, emit));
}

/** {@link catching} for emitters of paths; a fault of the body ends it. */
function catchingPaths(body: (emit: (path: Path, value: Json) => boolean) => boolean, emit: (path: Path, value: Json) => boolean): boolean {
  let path: Path = [];
  return catching(
    (emitValue) =>
      body((place, value) => {
        path = place;
        return emitValue(value);
      }),
    (value) => emit(path, value),
    () => false,
  );
}
