/**
 * The cost of one evaluation of compiled expressions, in microseconds, and beside it that of an external one, by the reference
 * implementation in its thread. Targets: a path below 0.3 us, map and select over 100 items below 30 us.
 */
import type { Json } from "../../actors/json.ts";
import type { Expression, Scope } from "../../actors/language/expression.ts";
import { compileExpression } from "../../actors/language/jq/compile-expression.ts";
import { jqWasmEvaluator } from "../../actors/language/jq/jq-wasm-evaluator.ts";
import { invariant } from "../../runtime/assert.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Benchmark, type Measured, measureInTurn } from "./benchmark.ts";

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

const dataOf = (b: number): Json => ({
  a: { b },
  b,
  items: Array.from({ length: 100 }, (_none, index) => ({ n: index % 7, name: `item ${index}` })),
});
/** Two of them, so that none becomes a constant. */
const scopes = [dataOf(1), dataOf(2)].map((data): Scope => ({ data, variable: () => data, answer: () => undefined }));

/** Microseconds of one evaluation, over `durationMs`. */
function measure(clock: Clock, expression: Expression, durationMs: number): number {
  const startMs = clock.monotonic();
  let evaluations = 0;
  let values = 0;
  while (clock.monotonic() - startMs < durationMs) {
    for (let round = 0; round < 100; round++) if (expression.evaluate(scopes[round & 1] as Scope) !== undefined) values += 1;
    evaluations += 100;
  }
  invariant(values === evaluations, "every evaluation gives a value");
  return ((clock.monotonic() - startMs) * 1_000) / evaluations;
}

async function measureExternal(clock: Clock): Promise<number> {
  const evaluator = jqWasmEvaluator(clock);
  const request = { source: ".a.b", data: dataOf(1), variables: {} };
  await evaluator.evaluate(request);
  const startMs = clock.monotonic();
  for (let count = 0; count < EXTERNAL_EVALUATIONS; count++) await evaluator.evaluate(request);
  const elapsedMs = clock.monotonic() - startMs;
  await evaluator.close();
  return (elapsedMs * 1_000) / EXTERNAL_EVALUATIONS;
}

/** `npm run bench -- expressions`. */
export const expressions: Benchmark = {
  name: "expressions",
  about: "One evaluation of a compiled expression, and of an external one.",
  async measure(setting) {
    const { clock } = setting;
    const compiled = SOURCES.map((source) => compileExpression(source));
    // All of them first, so that none is measured by code that was made for it alone.
    for (const expression of compiled) measure(clock, expression, MEASURED_MS / 4);
    const about = "one evaluation, compiled, in the node's own thread";
    const things = compiled.map((expression): Measured => {
      const label = { name: expression.source, unit: "us", about };
      return { label, round: () => ({ value: measure(clock, expression, MEASURED_MS) }) };
    });
    const external = { name: ".a.b, externally", unit: "us", about: "one evaluation by the reference implementation, in its thread" };
    things.push({ label: external, round: async () => ({ value: await measureExternal(clock) }) });
    return measureInTurn(setting, things);
  },
};
