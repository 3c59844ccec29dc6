/**
 * Compiles `=`, `|=`, `+=` and the like. The left side's paths are those of the input as it was; each is updated in turn.
 */
import type { Json } from "../../json.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { type Code, type Compiler, type Many, many, type Names, one, type Path, type Paths } from "./code.ts";
import type { Environment } from "./machine.ts";
import { isTruthy } from "./ordering.ts";
import { Draft, deletePaths } from "./paths.ts";
import type { ArithmeticOperator, NodeOf } from "./syntax.ts";

/** `left operator right`. */
export function compileUpdate(compiler: Compiler, node: NodeOf<"update">, names: Names | undefined): Code {
  const paths = compiler.paths(node.left, names);
  const right = compiler.code(node.right, names);
  if (node.operator === "|=") return one(modifying(paths, right));
  const assign = assignment(paths, node.operator);
  if (right.kind === "one") return one((env, input) => assign(env, input, right.run(env, input)));
  return many((env, input, emit) => (right.run as Many)(env, input, (operand) => emit(assign(env, input, operand))));
}

/** `paths |= update`: what the update gives no value for is deleted. */
export function modifying(paths: Paths, update: Code): (env: Environment, input: Json) => Json {
  const first = firstOf(update);
  return (env, input) => {
    const draft = new Draft(env.machine, input);
    const doomed: Path[] = [];
    paths(env, [], input, (path) => {
      const value = first(env, draft.get(path));
      if (value === undefined) doomed.push(path);
      else draft.set(path, value);
      return false;
    });
    return doomed.length === 0 ? draft.value : deletePaths(env.machine, draft.value, doomed);
  };
}

/** The first value of a filter, or undefined. */
function firstOf(code: Code): (env: Environment, input: Json) => Json | undefined {
  if (code.kind === "one") return code.run;
  const { run } = code;
  return (env, input) => {
    let found: Json | undefined;
    run(env, input, (value) => {
      found = value;
      return true;
    });
    return found;
  };
}

function assignment(paths: Paths, operator: Exclude<NodeOf<"update">["operator"], "|=">): (env: Environment, input: Json, operand: Json) => Json {
  const change = changeOf(operator);
  return (env, input, operand) => {
    const draft = new Draft(env.machine, input);
    paths(env, [], input, (path) => {
      draft.set(path, change(env, draft, path, operand));
      return false;
    });
    return draft.value;
  };
}

function changeOf(operator: Exclude<NodeOf<"update">["operator"], "|=">): (env: Environment, draft: Draft, path: Path, operand: Json) => Json {
  if (operator === "=") return (_env, _draft, _path, operand) => operand;
  if (operator === "//=") {
    return (_env, draft, path, operand) => {
      const old = draft.get(path);
      return isTruthy(old) ? old : operand;
    };
  }
  const apply = ARITHMETIC[operator.slice(0, -1) as ArithmeticOperator];
  return (env, draft, path, operand) => apply(env.machine, draft.get(path), operand);
}
