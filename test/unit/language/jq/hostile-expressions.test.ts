import assert from "node:assert/strict";
import type { Json } from "../../../../actors/json.ts";
import { ExpressionFault } from "../../../../actors/language/expression.ts";
import { compileExpression } from "../../../../actors/language/jq/compile-expression.ts";
import { fixedScope } from "../../../support/fixed-scope.ts";

const evaluate = (source: string, data: Json = null): Json => compileExpression(source).evaluate(fixedScope(data));

describe("an expression that grows without end", () => {
  const BOMBS = [
    "[range(1000000000)]",
    '"x" * 1000000000',
    "reduce range(1000000000) as $i (0; . + 1)",
    'reduce range(100) as $i ("x"; . + .)',
    "reduce range(100) as $i ([1]; . + .)",
    "reduce range(100) as $i (0; [., .])",
    "reduce range(100) as $i (0; {a: ., b: .})",
    "reduce range(100) as $i (0; [., .]) | tojson",
    "reduce range(100) as $i (0; [., .]) | . == .",
    "reduce range(100) as $i (0; [., .]) | [..] | length",
    "reduce range(100) as $i (0; [., .]) | flatten | length",
    "reduce range(100) as $i (0; [., .]) | [paths] | length",
    "reduce range(100000) as $i (0; [.])",
    "reduce range(100000) as $i (0; [.]) | tojson | length",
    "[recurse(. + 1)]",
    "until(false; .)",
    "[while(true; .)]",
    ".[1000000000] = 1",
    "[range(300)] as $x | [$x[] | $x[] | $x[] | 1] | length",
    "[range(100000)] | combinations",
    "[limit(1000000000; range(1000000000))] | length",
    'try reduce range(1000000000) as $i (0; . + 1) catch "caught"',
    "first(range(1000000000) | select(. < 0))",
  ];
  for (const source of BOMBS) {
    it(`faults: ${source}`, () => {
      const expression = compileExpression(source);
      if (!expression.external) assert.throws(() => expression.evaluate(fixedScope(null)), ExpressionFault);
    });
  }
});

describe("an expression that nests or chains without end", () => {
  const deep = (part: string, count = 8_000 / part.length): string => part.repeat(count);
  const sources: Readonly<Record<string, string>> = {
    "a chain of sums": `1${deep(" + 1")}`,
    "a chain of products": `1${deep(" * 1")}`,
    "a chain of and": `.a${deep(" and .a")}`,
    "a chain of commas": `1${deep(", 1")}`,
    "a chain of fields": `.${deep("[0]")}`,
    "a chain of ?": `.${deep("?")}`,
    "try of try": `${deep("try ")}.`,
    "pipes in a field": `{a: .${deep("|.")}}`,
    parentheses: `${deep("(")}.${deep(")")}`,
    "chains in parentheses": `${deep("(", 1_600)}.${deep(" + 1)", 1_600)}`,
    "sums in brackets": `${deep("[", 60)}1${deep(" + 1", 380)}${deep("]", 60)}`,
  };
  for (const [name, source] of Object.entries(sources)) {
    it(`is left to the reference implementation: ${name}`, () => assert.equal(compileExpression(source).external, true));
  }

  it("is compiled as long as it nests no deeper than the bound, on any stack", () => {
    const chain = compileExpression(`1${deep(" + 1", 390)}`);
    assert.equal(chain.external, false);
    assert.equal(chain.evaluate(fixedScope(null)), 391);
  });
});

describe("keys that objects inherit", () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "hasOwnProperty": 2}') as Json;

  it("are read as data, and only where they are data", () => {
    assert.equal(evaluate(".constructor", hostile), 1);
    assert.deepEqual(evaluate(".__proto__", hostile), { polluted: true });
    for (const key of ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"]) {
      assert.equal(evaluate(`.${key}`, {}), null, key);
      assert.equal(evaluate(`.["${key}"]`, {}), null, key);
      assert.equal(evaluate(`has("${key}")`, {}), false, key);
      assert.equal(evaluate(`{a: 1} | .${key}`), null, key);
    }
  });

  it("are kept when objects are constructed, merged, copied and updated", () => {
    const text = JSON.stringify(hostile);
    for (const source of [
      ". + {}",
      "{} + .",
      "{} * .",
      "with_entries(.)",
      "to_entries | from_entries",
      "map_values(.)",
      "tojson | fromjson",
      "del(.nothing)",
      "[.] | add",
      "reduce to_entries[] as $e ({}; .[$e.key] = $e.value)",
      "{__proto__: .__proto__, constructor: .constructor, hasOwnProperty: .hasOwnProperty}",
      "{__proto__, constructor, hasOwnProperty}",
    ]) {
      assert.equal(JSON.stringify(evaluate(source, hostile)), text, source);
    }
    assert.equal(JSON.stringify(evaluate(".__proto__.polluted = false | .__proto__", hostile)), '{"polluted":false}');
  });

  it("never change the prototype of anything", () => {
    const result = evaluate('{} | .__proto__ = {"polluted": true} | .["constructor"]["prototype"]["polluted"] = true');
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    assert.equal(Reflect.get(Object, "polluted"), undefined);
  });
});

describe("the input of an expression", () => {
  it("is never changed", () => {
    const data: Json = { a: [1, { b: 2 }], c: { d: [3] } };
    const before = JSON.stringify(data);
    for (const source of [
      ".a[1].b = 9",
      ".. |= .",
      "del(.a[0])",
      ".a |= sort",
      ".a += [4]",
      "map_values(empty)",
      ".c.d[0] |= . + 1",
      "walk(numbers |= . + 1)",
    ]) {
      evaluate(source, data);
      assert.equal(JSON.stringify(data), before, source);
    }
  });

  it("is not changed through a value that an update kept", () => {
    assert.deepEqual(evaluate('[[1], 0] | (.[0][0], .[0], .[1]) |= (if type == "array" then [., .] else 7 end)'), [[[7], [7]], 7]);
    assert.deepEqual(evaluate('(.[0][0][0], .[0], .[0][0][0]) |= (if type == "array" then [., .] else . + 1 end)', [[[5]]]), [[[[[6], [6]]], [[6]]]]);
    assert.deepEqual(evaluate(". as $old | .a.b = 2 | [$old, .]", { a: { b: 1 } }), [{ a: { b: 1 } }, { a: { b: 2 } }]);
  });

  it("may have 10 MB", () => {
    const data: Json = { text: "x".repeat(10 * 1024 * 1024), items: Array.from({ length: 200_000 }, (_none, n) => ({ n })) };
    assert.equal(evaluate(".text", data), data["text"]);
    assert.equal(evaluate(".", data), data);
    assert.equal(evaluate(".items | length", data), 200_000);
    assert.equal(evaluate("[.items[] | select(.n > 199990)] | length", data), 9);
  });
});
