import assert from "node:assert/strict";
import fc from "fast-check";
import { fittingRun } from "../../../gateway/grpc-answer-size.ts";
import { fitting, pageOf } from "../../../gateway/service/page.ts";
import { Run, RunPart } from "../../../proto/gen/maestro/v1/run_service.ts";
import { LIMITS } from "../../../runtime/limits.ts";

describe("a page", () => {
  const chars = (row: number): number => row;

  it("has as many rows as fit, one at least, and says where to go on", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(LIMITS.pageChars), { maxLength: 12 }), fc.integer({ min: 1, max: 10 }), (rows, limit) => {
        const asked = rows.slice(0, limit + 1);
        const page = pageOf(asked, limit, () => "more", chars);
        const sum = page.rows.reduce((total, row) => total + row, 0);
        assert.ok(page.rows.length <= limit && (sum <= LIMITS.pageChars || page.rows.length === 1));
        assert.deepEqual(page.rows, asked.slice(0, page.rows.length));
        assert.equal(page.nextPageToken, page.rows.length < asked.length ? "more" : "");
        assert.ok(page.rows.length > 0 || asked.length === 0);
      }),
    );
  });

  it("is not cut while it fits", () => {
    const rows = Array.from({ length: 1_024 }, () => LIMITS.pageChars / 1_024);
    assert.equal(fitting(rows, chars), rows);
    assert.equal(fitting([...rows, 1], chars).length, 1_024);
  });
});

describe("a run in an answer", () => {
  const run = (input: string, output: string): Run => ({ ...Run.decode(new Uint8Array(0)), runId: "r", input, output });
  const bytesOf = (answer: Run): number => Run.encode(answer).finish().length;
  const half = "x".repeat(LIMITS.payloadBytes);

  it("has both payloads if they fit, and their sizes", () => {
    const answer = fittingRun(run('"ü"', "12"), RunPart.UNSPECIFIED);
    assert.deepEqual([answer.input, answer.inputBytes, answer.output, answer.outputBytes], ['"ü"', 4, "12", 2]);
    const large = fittingRun(run(half, half.slice(200)), RunPart.UNSPECIFIED);
    assert.deepEqual([large.input.length, large.output.length], [half.length, half.length - 200]);
    assert.ok(bytesOf(large) <= LIMITS.answerBytes);
  });

  it("lacks its input, then its output, if it would be too large, and says so by their sizes", () => {
    const answer = fittingRun(run(half, half), RunPart.UNSPECIFIED);
    assert.deepEqual([answer.input, answer.inputBytes, answer.output], ["", half.length, half]);
    assert.ok(bytesOf(answer) <= LIMITS.answerBytes);
    const wide = fittingRun(run("1", "€".repeat(half.length)), RunPart.UNSPECIFIED);
    assert.deepEqual([wide.input, wide.output, wide.outputBytes], ["", "", 3 * half.length]);
  });

  it("has the payload that was asked for", () => {
    assert.deepEqual([fittingRun(run("1", "2"), RunPart.INPUT).output, fittingRun(run("1", "2"), RunPart.OUTPUT).input], ["", ""]);
    assert.equal(fittingRun(run(half, half), RunPart.INPUT).input, half);
  });
});
