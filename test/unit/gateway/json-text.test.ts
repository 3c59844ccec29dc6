import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonReason, nestingDepth, refuseTooLarge } from "../../../gateway/service/json-text.ts";
import { LIMITS } from "../../../runtime/limits.ts";

/** Nesting of a parsed value, the slow and plain way. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe("JSON text", () => {
  it("is taken when it is JSON, whatever it holds", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => assert.equal(jsonReason(text), undefined)));
  });

  it("is refused when it is none, with the parser's reason", () => {
    for (const text of ["{", "{'a':1}", "undefined", "NaN", "[1,]", '{"a":1}x', "\u0000"]) assert.match(jsonReason(text) ?? "", /^must be JSON: .+/);
  });

  it("is measured in depth as its value is", () => {
    const padding = " ".repeat(LIMITS.nestingDepth + 1);
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => assert.equal(nestingDepth(padding + JSON.stringify(value)), depthOf(value))));
  });

  it("is measured without looking into texts", () => {
    const text = JSON.stringify([`${"[".repeat(200)}"\\`, { 'a"{[': "\\\\" }]);
    assert.equal(nestingDepth(text), 2);
  });

  it("is refused one level too deep, also when it is large", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    assert.equal(jsonReason(nested(LIMITS.nestingDepth)), undefined);
    assert.equal(jsonReason(nested(LIMITS.nestingDepth + 1)), `is nested deeper than ${LIMITS.nestingDepth} levels.`);
    assert.match(jsonReason(nested(1_000_000)) ?? "", /nested deeper/);
  });

  it("is measured in bytes of UTF-8", () => {
    refuseTooLarge("input", "x".repeat(30), 30);
    refuseTooLarge("input", "é".repeat(15), 30);
    assert.throws(() => refuseTooLarge("input", "é".repeat(16), 30), { code: "MESSAGE_TOO_LARGE", facts: { field: "input", bytes: 32, limit: 30 } });
  });
});
