/**
 * Compiles pipes, commas, `and`, `or`, `//`, `if` and `try`.
 */
import type { Json } from "../../json.ts";
import { type Code, type Compiler, emitting, many, type Names, one } from "./code.ts";
import { JqFault } from "./fault.ts";
import { isTruthy } from "./ordering.ts";
import type { NodeOf } from "./syntax.ts";

/** `left | right` and `left, right`. */
export function compileSequence(compiler: Compiler, node: NodeOf<"pipe" | "comma">, names: Names | undefined): Code {
  const left = compiler.code(node.left, names);
  const right = compiler.code(node.right, names);
  if (node.kind === "comma") {
    const first = emitting(left);
    const second = emitting(right);
    return many((env, input, emit) => first(env, input, emit) || second(env, input, emit));
  }
  if (left.kind === "one" && right.kind === "one") return one((env, input) => right.run(env, left.run(env, input)));
  if (left.kind === "one") return many((env, input, emit) => right.run(env, left.run(env, input), emit) as boolean);
  const next = emitting(right);
  return many((env, input, emit) => left.run(env, input, (value) => next(env, value, emit)));
}

/** `left and right`, `left or right`: the right side is not evaluated if the left one decides. */
export function compileLogic(compiler: Compiler, node: NodeOf<"and" | "or">, names: Names | undefined): Code {
  const left = compiler.code(node.left, names);
  const right = compiler.code(node.right, names);
  const decisive = node.kind === "or";
  if (left.kind === "one" && right.kind === "one") {
    return one((env, input) => (isTruthy(left.run(env, input)) === decisive ? decisive : isTruthy(right.run(env, input))));
  }
  const first = emitting(left);
  const second = emitting(right);
  return many((env, input, emit) =>
    first(env, input, (value) => (isTruthy(value) === decisive ? emit(decisive) : second(env, input, (other) => emit(isTruthy(other))))),
  );
}

/** `left // right`: the true values of the left side, or else the right side. A fault on the left is not caught: `(left)? // right` is. */
export function compileAlternative(compiler: Compiler, node: NodeOf<"alternative">, names: Names | undefined): Code {
  const left = compiler.code(node.left, names);
  const right = compiler.code(node.right, names);
  if (left.kind === "one" && right.kind === "one") {
    return one((env, input) => {
      const value = left.run(env, input);
      return isTruthy(value) ? value : right.run(env, input);
    });
  }
  const first = emitting(left);
  const second = emitting(right);
  return many((env, input, emit) => {
    let found = false;
    const stopped = first(env, input, (value) => {
      if (!isTruthy(value)) return false;
      found = true;
      return emit(value);
    });
    return found ? stopped : second(env, input, emit);
  });
}

/** `if condition then … else … end`; without `else` the input. */
export function compileIf(compiler: Compiler, node: NodeOf<"if">, names: Names | undefined): Code {
  const condition = compiler.code(node.condition, names);
  const then = compiler.code(node.then, names);
  const otherwise: Code = node.otherwise === undefined ? one((_env, input) => input) : compiler.code(node.otherwise, names);
  if (condition.kind === "one" && then.kind === "one" && otherwise.kind === "one") {
    return one((env, input) => (isTruthy(condition.run(env, input)) ? then.run(env, input) : otherwise.run(env, input)));
  }
  const test = emitting(condition);
  const yes = emitting(then);
  const no = emitting(otherwise);
  return many((env, input, emit) => test(env, input, (value) => (isTruthy(value) ? yes(env, input, emit) : no(env, input, emit))));
}

/** `try body catch handler` and `body?`. */
export function compileTry(compiler: Compiler, node: NodeOf<"try">, names: Names | undefined): Code {
  const body = compiler.code(node.body, names);
  const handler = node.handler === undefined ? undefined : compiler.code(node.handler, names);
  if (body.kind === "one" && handler?.kind === "one") {
    return one((env, input) => {
      try {
        return body.run(env, input);
      } catch (error) {
        if (!(error instanceof JqFault)) throw error;
        return handler.run(env, error.value);
      }
    });
  }
  const run = emitting(body);
  const handle = handler === undefined ? () => false : emitting(handler);
  return many((env, input, emit) =>
    catching(
      (emitGuarded) => run(env, input, emitGuarded),
      emit,
      (value) => handle(env, value, emit),
    ),
  );
}

/**
 * Runs `body` with an emitter like `emit`, and `handle` if it faults. A fault that comes out of `emit` is not the body's: it arose
 * downstream and passes.
 */
export function catching(
  body: (emit: (value: Json) => boolean) => boolean,
  emit: (value: Json) => boolean,
  handle: (value: Json) => boolean,
): boolean {
  let downstream = false;
  try {
    return body((value) => {
      downstream = true;
      const stopped = emit(value);
      downstream = false;
      return stopped;
    });
  } catch (error) {
    if (downstream || !(error instanceof JqFault)) throw error;
    return handle(error.value);
  }
}
