import assert from "node:assert/strict";
import { compileTemplate } from "../../../../actors/language/jq/compile-expression.ts";
import { ExpressionRefused } from "../../../../actors/language/jq/refused.ts";
import { fixedScope } from "../../../support/fixed-scope.ts";

describe("a template", () => {
  it("is constant if nothing in it is an expression", () => {
    const value = { a: ["${ .b", "costs $5", ".x"], b: null };
    const template = compileTemplate(value, "strict");
    assert.equal(template.constant, value);
    assert.equal(template.evaluate(fixedScope(null)), value);
    assert.deepEqual(template.expressions, []);
  });

  it("evaluates every expression in it, and keeps the rest", () => {
    const template = compileTemplate({ id: "${ .id }", list: [1, " ${ $x + 1 } "], fixed: { deep: true } }, "strict");
    assert.equal(template.constant, undefined);
    assert.deepEqual(
      template.expressions.map((expression) => expression.source),
      [".id", "$x + 1"],
    );
    assert.deepEqual(template.evaluate(fixedScope({ id: 7 }, { x: 1 })), { id: 7, list: [1, 2], fixed: { deep: true } });
  });

  it("can be one expression", () => {
    assert.deepEqual(compileTemplate("${ .a }", "strict").evaluate(fixedScope({ a: [1] })), [1]);
  });

  it("keeps keys such as __proto__", () => {
    const value = JSON.parse('{"__proto__": "${ .a }", "b": 1}');
    assert.equal(JSON.stringify(compileTemplate(value, "strict").evaluate(fixedScope({ a: 2 }))), '{"__proto__":2,"b":1}');
  });

  it("refuses an expression that can't be accepted", () => {
    assert.throws(() => compileTemplate(["${ now }"], "strict"), ExpressionRefused);
  });
});

describe("a loose template", () => {
  it("takes paths and variables for expressions without ${ }", () => {
    const template = compileTemplate({ a: ".name", b: "$x.y", c: "${ 1 + 1 }", d: ".[0]?", e: "." }, "loose");
    const data = { name: "n" };
    assert.deepEqual(template.evaluate(fixedScope(data, { x: { y: 3 } })), { a: "n", b: 3, c: 2, d: ".[0]?", e: data });
  });

  it("leaves texts that only look like expressions as they are", () => {
    const texts = ["...", ".5 litres", "$5", "length", ".and so on", "$unknown", "$x is due", ".gitignore|foo", ".a.b.c"];
    const template = compileTemplate(texts, "loose");
    assert.deepEqual(template.evaluate(fixedScope({ a: 1 }, { x: 1 })), texts);
  });
});
