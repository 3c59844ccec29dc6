/**
 * The cost of one evaluation of compiled expressions, in microseconds, and beside it that of an external one, by the reference
 * implementation in its thread. Targets: a path below 0.3 us, map and select over 100 items below 30 us.
 *
 * Run it with `node ops/bench/expressions.ts`.
 */
import type { Json } from "../../actors/json.ts";
import type { Scope } from "../../actors/language/expression.ts";
import { compileExpression } from "../../actors/language/jq/compile-expression.ts";
import { jqWasmEvaluator } from "../../actors/language/jq/jq-wasm-evaluator.ts";
import { systemClock } from "../../runtime/clock.ts";

const SOURCES = [
  ".a.b",
  "{x: .a, y: (.b + 1)}",
  ".b > 1 and $context.a.b == 1",
  '"order \\(.b) of \\(.a.b)"',
  ".a.b |= . + 1",
  ".items | map(select(.n > 3)) | length",
  ".items | group_by(.n) | map({n: .[0].n, count: length})",
];

/** Time that one expression is measured for, in milliseconds; it is warmed up for a quarter of it. */
const MEASURED_MS = 300;
const EXTERNAL_EVALUATIONS = 200;

const clock = systemClock();
const data: Json = { a: { b: 1 }, b: 2, items: Array.from({ length: 100 }, (_none, index) => ({ n: index % 7, name: `item ${index}` })) };
const scope: Scope = { data, variable: () => data, answer: () => undefined };

/** Microseconds of one call, over `durationMs`. */
function measure(call: () => unknown, durationMs: number): number {
  const startMs = clock.monotonic();
  let calls = 0;
  while (clock.monotonic() - startMs < durationMs) {
    for (let round = 0; round < 100; round++) call();
    calls += 100;
  }
  return ((clock.monotonic() - startMs) * 1_000) / calls;
}

async function measureExternal(): Promise<number> {
  const evaluator = jqWasmEvaluator(clock);
  const request = { source: ".a.b", data, variables: {} };
  await evaluator.evaluate(request);
  const startMs = clock.monotonic();
  for (let count = 0; count < EXTERNAL_EVALUATIONS; count++) await evaluator.evaluate(request);
  const elapsedMs = clock.monotonic() - startMs;
  await evaluator.close();
  return (elapsedMs * 1_000) / EXTERNAL_EVALUATIONS;
}

for (const source of SOURCES) {
  const expression = compileExpression(source);
  const evaluate = (): Json => expression.evaluate(scope);
  measure(evaluate, MEASURED_MS / 4);
  console.log(`${measure(evaluate, MEASURED_MS).toFixed(3).padStart(10)} us  ${source}`);
}
console.log(`${(await measureExternal()).toFixed(3).padStart(10)} us  .a.b, evaluated externally`);
