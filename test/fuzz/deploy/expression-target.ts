/**
 * Expressions. Whatever the source: it is refused, or it becomes an expression; and whatever the data, that one gives JSON, faults, or is left to the
 * reference implementation. Within a time bound, without changing its input or a prototype.
 */
import assert from "node:assert/strict";
import type { Json } from "../../../actors/json.ts";
import { EvaluationPending, type Expression, ExpressionFault } from "../../../actors/language/expression.ts";
import { compileExpression } from "../../../actors/language/jq/compile-expression.ts";
import { ExpressionRefused } from "../../../actors/language/jq/refused.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { fixedScope } from "../../support/fixed-scope.ts";
import { cpuMs } from "../cpu-time.ts";
import { shownText, smallerTexts } from "../reduce.ts";
import { eachCase, type FuzzTarget, Tally } from "../target.ts";
import { expressionBomb, randomExpression } from "./expressions.ts";
import { PrototypeGuard } from "./prototype-guard.ts";

/** Most computing for compilation and evaluations, in milliseconds. */
const CASE_MS = 2_000;

const DATA: readonly Json[] = [
  null,
  { a: { b: [1, { c: "x" }] }, items: [3, 1, 2], name: "ü\u{1f4a5}", constructor: 1, text: "a,b,c" },
  JSON.parse('[{"__proto__": {"polluted": true}, "a": 1}, [], "", -0, 1e308, {"toString": null}, [[[[]]]]]') as Json,
  JSON.parse(`${"[".repeat(90)}1${"]".repeat(90)}`) as Json,
  "text \ud800 with half a pair",
];

/** What is under test. */
export type CompileExpression = (source: string) => Expression;

/** The target. */
export function expressionTarget(compile: CompileExpression = compileExpression): FuzzTarget<string> {
  const tally = new Tally();
  const guard = new PrototypeGuard();
  return {
    name: "expressions",
    width: 1,
    batchMs: 20_000,
    generate: (chance) => (chance.oneIn(20) ? expressionBomb(chance, chance.size(LIMITS.expressionBytes)) : randomExpression(chance)),
    check: eachCase(async (source) => {
      const startMs = cpuMs();
      tally.add(outcomeOf(source, compile));
      const tookMs = cpuMs() - startMs;
      assert.ok(tookMs < CASE_MS, `took ${Math.round(tookMs)} ms of computing`);
      guard.check();
    }),
    smaller: smallerTexts,
    show: shownText,
    settle: async () => guard.check(),
    outcomes: () => String(tally),
    close: async () => undefined,
  };
}

function outcomeOf(source: string, compile: CompileExpression): string {
  const expression = compiledOrRefused(source, compile);
  if (expression === undefined) return "refused";
  return DATA.map((data) => evaluated(expression, data)).at(-1) ?? "";
}

function compiledOrRefused(source: string, compile: CompileExpression): Expression | undefined {
  try {
    return compile(source);
  } catch (error) {
    if (error instanceof ExpressionRefused) return undefined;
    throw error;
  }
}

function evaluated(expression: Expression, data: Json): string {
  const before = JSON.stringify(data);
  try {
    const value = expression.evaluate(fixedScope(data, { x: { a: [1] }, input: data, context: {} }));
    const text = JSON.stringify(value);
    assert.deepEqual(JSON.parse(text), withoutNegativeZero(value), "the value is JSON");
    return "value";
  } catch (error) {
    if (error instanceof EvaluationPending) return "external";
    if (error instanceof ExpressionFault) return "fault";
    throw error;
  } finally {
    assert.equal(JSON.stringify(data), before, "the input is not changed");
  }
}

/** JSON has no -0: it is read back as 0. */
function withoutNegativeZero(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
