/**
 * Compiles `reduce` and `foreach`. The state is the last value of the update; with no value it is null.
 */
import type { Json } from "../../json.ts";
import { binder, bound } from "./bindings.ts";
import { type Code, type Compiler, emitting, many, type Names, one } from "./code.ts";
import type { Environment } from "./machine.ts";
import type { NodeOf } from "./syntax.ts";

/** `reduce source as pattern (initial; update)`, `foreach source as pattern (initial; update; extract)`. */
export function compileFold(compiler: Compiler, node: NodeOf<"reduce" | "foreach">, names: Names | undefined): Code {
  const source = emitting(compiler.code(node.source, names));
  const initial = compiler.code(node.initial, names);
  const inner = bound(node.pattern, names);
  const update = compiler.code(node.update, inner);
  const bind = binder(node.pattern);
  if (node.kind === "reduce") return compileReduce(source, initial, update, bind);
  const extract = node.extract === undefined ? undefined : emitting(compiler.code(node.extract, inner));
  const step = emitting(update);
  const start = emitting(initial);
  return many((env, input, emit) =>
    start(env, input, (first) => {
      let state = first;
      return source(env, input, (value) => {
        env.machine.charge(1);
        const scope = bind(env, value);
        const current = state;
        state = null;
        return step(scope, current, (next) => {
          state = next;
          return extract === undefined ? emit(next) : extract(scope, next, emit);
        });
      });
    }),
  );
}

type Bind = (env: Environment, value: Json) => Environment;

function compileReduce(source: ReturnType<typeof emitting>, initial: Code, update: Code, bind: Bind): Code {
  const next = update.kind === "one" ? update.run : lastOf(emitting(update));
  const fold = (env: Environment, input: Json, first: Json): Json => {
    let state = first;
    source(env, input, (value) => {
      env.machine.charge(1);
      state = next(bind(env, value), state);
      return false;
    });
    return state;
  };
  if (initial.kind === "one") return one((env, input) => fold(env, input, initial.run(env, input)));
  return many((env, input, emit) => initial.run(env, input, (first) => emit(fold(env, input, first))));
}

function lastOf(run: ReturnType<typeof emitting>): (env: Environment, input: Json) => Json {
  return (env, input) => {
    let last: Json = null;
    run(env, input, (value) => {
      last = value;
      return false;
    });
    return last;
  };
}
