/**
 * Compiles arithmetic, negation and comparisons. The right operand varies slowest, as in jq.
 */
import type { Json } from "../../json.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { type Code, type Compiler, combine, many, type Names, one } from "./code.ts";
import { describe, JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { compare, equals } from "./ordering.ts";
import type { ComparisonOperator, Node, NodeOf } from "./syntax.ts";

type Operation = (machine: Machine, a: Json, b: Json) => Json;

const COMPARISONS: Readonly<Record<ComparisonOperator, Operation>> = {
  "==": equals,
  "!=": (machine, a, b) => !equals(machine, a, b),
  "<": (machine, a, b) => compare(machine, a, b) < 0,
  "<=": (machine, a, b) => compare(machine, a, b) <= 0,
  ">": (machine, a, b) => compare(machine, a, b) > 0,
  ">=": (machine, a, b) => compare(machine, a, b) >= 0,
};

/** `left + right` and the like. */
export function compileArithmetic(compiler: Compiler, node: NodeOf<"arithmetic">, names: Names | undefined): Code {
  return binary(compiler, node, names, ARITHMETIC[node.operator]);
}

/** `left == right` and the like. */
export function compileComparison(compiler: Compiler, node: NodeOf<"comparison">, names: Names | undefined): Code {
  return binary(compiler, node, names, COMPARISONS[node.operator]);
}

/** `-operand`. */
export function compileNegation(compiler: Compiler, node: NodeOf<"negate">, names: Names | undefined): Code {
  const operand = compiler.code(node.operand, names);
  if (operand.kind === "one") return one((env, input) => negate(operand.run(env, input)));
  return many((env, input, emit) => operand.run(env, input, (value) => emit(negate(value))));
}

function binary(compiler: Compiler, node: { left: Node; right: Node }, names: Names | undefined, operation: Operation): Code {
  const left = compiler.code(node.left, names);
  const right = compiler.code(node.right, names);
  if (left.kind === "one" && right.kind === "one") {
    const runLeft = left.run;
    if (node.right.kind === "literal") {
      const { value } = node.right;
      return one((env, input) => operation(env.machine, runLeft(env, input), value));
    }
    const runRight = right.run;
    return one((env, input) => {
      const b = runRight(env, input);
      return operation(env.machine, runLeft(env, input), b);
    });
  }
  return combine([right, left], (env, [b, a]) => operation(env.machine, a as Json, b as Json));
}

function negate(value: Json): Json {
  if (typeof value !== "number") throw new JqFault(`${describe(value)} cannot be negated`);
  return 0 - value;
}
