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
/** Most programs must be in the subset, or the test says little. */
const EXTERNAL_SHARE_MAX = 0.05;

const FAULT = "a fault";

describe("compiled expressions and jq", () => {
  let jq: Jq;

  before(async () => {
    jq = await loadJq();
  });

  it(`agree on ${CASES} programs`, () => {
    let external = 0;
    fc.assert(
      fc.property(anyProgram, anyValue, anyValue, anyValue, (source, data, x, y) => {
        const before = JSON.stringify([data, x, y]);
        const ours = compiledOutcome(source, data, { x, y });
        if (ours === undefined) external += 1;
        else assert.equal(ours, referenceOutcome(jq, source, data, { x, y }));
        assert.equal(JSON.stringify([data, x, y]), before, "the input was changed");
      }),
      { numRuns: CASES, ...(process.env["JQ_SEED"] === undefined ? {} : { seed: Number(process.env["JQ_SEED"]) }) },
    );
    assert.ok(external < CASES * EXTERNAL_SHARE_MAX, `${external} of ${CASES} programs were outside the subset`);
  }).timeout(600_000);
});

/** The value as JSON text, or {@link FAULT}; undefined for a program outside the subset. */
function compiledOutcome(source: string, data: Json, variables: Readonly<Record<string, Json>>): string | undefined {
  const expression = compileExpression(source);
  if (expression.external) return undefined;
  try {
    return JSON.stringify(expression.evaluate(fixedScope(data, variables)));
  } catch (error) {
    if (error instanceof ExpressionFault) return FAULT;
    throw error;
  }
}

function referenceOutcome(jq: Jq, source: string, data: Json, { x, y }: Readonly<Record<string, Json>>): string {
  const { stdout, exitCode } = jq.raw(JSON.stringify([data, x, y]), `.[1] as $x | .[2] as $y | .[0] | first((${source}\n))`, ["-c"]);
  return exitCode === 0 && stdout !== "" ? JSON.stringify(JSON.parse(stdout)) : FAULT;
}
