/**
 * The compiled subset against the reference implementation: for any program and value both give the same first value, or both fault.
 * JQ_CASES sets the number of cases, JQ_SEED the seed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Jq, loadJq } from "jq-wasm";
import type { Json } from "../../actors/json.ts";
import { ExpressionFault } from "../../actors/language/expression.ts";
import { compileExpression } from "../../actors/language/jq/compile-expression.ts";
import { fixedScope } from "../support/fixed-scope.ts";
import { anyProgram } from "../support/jq-programs.ts";
import { anyValue } from "../support/jq-values.ts";

const CASES = Number(process.env["JQ_CASES"] ?? 2_000);
/** Most programs must be compared, or the test says little. */
const SKIPPED_SHARE_MAX = 0.05;

const FAULT = "a fault";

describe("compiled expressions and jq", () => {
  let jq: Jq;

  before(async () => {
    jq = await loadJq();
  });

  it(`agree on ${CASES} programs`, () => {
    let skipped = 0;
    fc.assert(
      fc.property(anyProgram, anyValue, anyValue, anyValue, (source, data, x, y) => {
        const before = JSON.stringify([data, x, y]);
        const ours = compiledOutcome(source, data, { x, y });
        if (ours === undefined) skipped += 1;
        else assert.equal(ours, referenceOutcome(jq, source, data, { x, y }));
        assert.equal(JSON.stringify([data, x, y]), before, "the input was changed");
      }),
      { numRuns: CASES, ...(process.env["JQ_SEED"] === undefined ? {} : { seed: Number(process.env["JQ_SEED"]) }) },
    );
    assert.ok(skipped < CASES * SKIPPED_SHARE_MAX, `${skipped} of ${CASES} programs were not compared`);
  }).timeout(600_000);
});

/** What our bounds say, which the reference hasn't: it would go on for minutes. */
const BOUND = /more than \d+ (?:steps|bytes)|nests too deeply|too long/;

/** The value as JSON text, or {@link FAULT}; undefined for a program outside the subset, or one that meets a bound. */
function compiledOutcome(source: string, data: Json, variables: Readonly<Record<string, Json>>): string | undefined {
  const expression = compileExpression(source);
  if (expression.external) return undefined;
  try {
    return JSON.stringify(expression.evaluate(fixedScope(data, variables)));
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    return BOUND.test(error.message) ? undefined : FAULT;
  }
}

function referenceOutcome(jq: Jq, source: string, data: Json, { x, y }: Readonly<Record<string, Json>>): string {
  const { stdout, exitCode } = jq.raw(JSON.stringify([data, x, y]), `.[1] as $x | .[2] as $y | .[0] | first((${source}\n))`, ["-c"]);
  return exitCode === 0 && stdout !== "" ? JSON.stringify(JSON.parse(stdout)) : FAULT;
}
