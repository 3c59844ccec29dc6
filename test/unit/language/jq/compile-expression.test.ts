import assert from "node:assert/strict";
import type { Json } from "../../../../actors/json.ts";
import { EvaluationPending, ExpressionFault } from "../../../../actors/language/expression.ts";
import { compileExpression } from "../../../../actors/language/jq/compile-expression.ts";
import { ExpressionRefused } from "../../../../actors/language/jq/refused.ts";
import { LIMITS } from "../../../../runtime/limits.ts";
import { fixedScope } from "../../../support/fixed-scope.ts";

const evaluate = (source: string, data: Json = null, variables: Readonly<Record<string, Json>> = {}): Json =>
  compileExpression(source).evaluate(fixedScope(data, variables));

/** Source, data, value. */
type Example = readonly [source: string, data: Json, value: Json];

const ORDER = {
  items: [
    { sku: "a", n: 5 },
    { sku: "b", n: 2 },
    { sku: "c", n: 9 },
  ],
  customer: { age: 17, name: "Zoë" },
};

const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  "reads paths": [
    [".", 1, 1],
    [".customer.name", ORDER, "Zoë"],
    ['."customer"["age"]', ORDER, 17],
    [".items[-1].sku", ORDER, "c"],
    [".items[1:] | length", ORDER, 2],
    [".missing.deeper", ORDER, null],
    ["[.items[].n]", ORDER, [5, 2, 9]],
    ["[..|numbers]", ORDER, [5, 2, 9, 17]],
    ["[.customer.age.x?]", ORDER, []],
    [".[1:3]", "añ😀d", "ñ😀"],
  ],
  "computes and compares": [
    [".customer.age < 18", ORDER, true],
    ['[1, null, true, "a", [], {}, false] | sort', null, [null, false, true, 1, "a", [], {}]],
    ["{a: 1} + {b: 2} * {b: 3}", null, { a: 1, b: 3 }],
    ["[1,2,1] - [1]", null, [2]],
    ['"a,b" / ","', null, ["a", "b"]],
    ["7 % 4, 1", null, 3],
    ["null // false // 3", null, 3],
    ["1 == 1 and (null or true)", null, true],
    ['"x" * 3', null, "xxx"],
    ['"￿" < "😀"', null, true],
  ],
  "constructs values": [
    ['{a: 1, "b c": 2, ("d"): 3}', null, { a: 1, "b c": 2, d: 3 }],
    ["{sku, n}", { sku: "a", n: 1, z: 0 }, { sku: "a", n: 1 }],
    ["1 as $x | {$x}", null, { x: 1 }],
    ['"Hello \\(.name), \\(1 + 1)"', { name: "Zoë" }, "Hello Zoë, 2"],
    ["[range(3) as $i | {i: $i}]", null, [{ i: 0 }, { i: 1 }, { i: 2 }]],
  ],
  "controls the flow": [
    ["if .a then 1 elif .b then 2 else 3 end", { b: true }, 2],
    ["if .a then 1 end", { a: false }, { a: false }],
    ['try error("no") catch .', null, "no"],
    ['[.[] | try (if . == 2 then error else . end) catch "two"]', [1, 2, 3], [1, "two", 3]],
    ["reduce .[] as $n (0; . + $n)", [1, 2, 3], 6],
    [
      "[foreach .[] as $n (0; . + $n; [$n, .])]",
      [1, 2],
      [
        [1, 1],
        [2, 3],
      ],
    ],
    ["1 + 2 as $x | $x * 10", null, 30],
    [". as [$a, {b: $c}] | $a + $c", [1, { b: 2 }], 3],
    ["[limit(2; range(1000000000))]", null, [0, 1]],
    ["first(.[] | select(. > 1))", [1, 2, 3], 2],
  ],
  "updates paths": [
    [".a.b = 1", null, { a: { b: 1 } }],
    [".items |= map(.n)", ORDER, { ...ORDER, items: [5, 2, 9] }],
    [".items[].n += 1 | [.items[].n]", ORDER, [6, 3, 10]],
    [".a //= 3", { a: null }, { a: 3 }],
    ["(.[] | select(. > 1)) |= empty", [1, 2, 3], [1]],
    ["del(.a, .c[0])", { a: 1, b: 2, c: [3, 4] }, { b: 2, c: [4] }],
    [". + [$color]", ["red"], ["red", "blue"]],
  ],
  "calls builtins": [
    [".items | map(select(.n > 3)) | length", ORDER, 2],
    ["with_entries(.value += 1)", { a: 1 }, { a: 2 }],
    ["[.items | group_by(.n > 3)[] | length]", ORDER, [1, 2]],
    ["[.items | sort_by(.n)[].sku]", ORDER, ["b", "a", "c"]],
    ["keys", { b: 1, a: 2 }, ["a", "b"]],
    ["keys_unsorted", { b: 1, a: 2 }, ["b", "a"]],
    ["length", "é😀", 2],
    ['join("-")', ["a", 1, null, true], "a-1--true"],
    ["tojson | fromjson", ORDER, ORDER],
    ["[paths]", { a: [1] }, [["a"], ["a", 0]]],
    ["[.[] | tonumber?]", ["1", "x", "2.5"], [1, 2.5]],
    ["any(.[]; . > 2), all", [1, 3], true],
  ],
};

describe("a compiled expression", () => {
  for (const [title, examples] of Object.entries(EXAMPLES)) {
    it(title, () => {
      for (const [source, data, value] of examples) {
        const expression = compileExpression(source);
        assert.equal(expression.external, false, source);
        assert.deepEqual(expression.evaluate(fixedScope(data, { color: "blue" })), value, source);
      }
    });
  }

  it("is the same with and without ${ }", () => {
    assert.equal(compileExpression(" ${ .a } ").source, ".a");
    assert.equal(evaluate("${ .a }", { a: 1 }), 1);
  });

  it("names the variables that it doesn't bind itself", () => {
    assert.deepEqual(compileExpression("$a + (1 as $b | $b + $a) + $context.x").variables, ["a", "context"]);
    assert.equal(evaluate("$a + 1", null, { a: 2 }), 3);
  });

  it("faults without a value, for a fault in it, and for an unknown variable", () => {
    assert.throws(() => evaluate("empty"), new ExpressionFault("empty", "no value"));
    assert.throws(() => evaluate("1 + {}"), new ExpressionFault("1 + {}", "number (1) and object ({}) cannot be added"));
    assert.throws(() => evaluate("try $nope catch 1"), new ExpressionFault("try $nope catch 1", "$nope is not defined"));
  });

  it("doesn't catch with `try` what fails after it", () => {
    assert.throws(() => evaluate('try 1 | error("later")'), /later/);
    assert.throws(() => evaluate('[(try (1, 2) catch 9) | if . == 1 then error("later") else . end]'), /later/);
    assert.throws(() => evaluate('[(try (1, 2) catch 9) | error("later")]'), /later/);
  });

  it("lets faults on the left of `//` through, as the reference does", () => {
    assert.throws(() => evaluate('error("x") // 1'), /x/);
    assert.equal(evaluate('(error("x"))? // 1'), 1);
  });

  it("keeps bindings apart when a filter is entered again from within", () => {
    assert.deepEqual(evaluate("[recurse(.[]? as $x | $x)]", [1, [2]]), [[1, [2]], 1, [2], 2]);
    assert.deepEqual(
      evaluate("[recurse((.c[]? as $x | $x), (.n as $n | select($n == 9) | {n: 10}))] | map(.n)", { n: 1, c: [{ n: 9 }, { n: 3 }] }),
      [1, 9, 10, 3],
    );
  });

  it("orders NaN below every number, and never equal to itself", () => {
    assert.deepEqual(evaluate("[nan < 1, nan < nan, nan == nan, ([nan] == [nan]), ([1, nan, 0] | sort)]"), [true, true, false, false, [null, 0, 1]]);
  });

  it("combines many values in the order of the reference", () => {
    assert.deepEqual(evaluate("[(1, 2) + (10, 20)]"), [11, 12, 21, 22]);
    assert.deepEqual(evaluate("[{a: (1, 2), b: (3, 4)} | .a * 10 + .b]"), [13, 14, 23, 24]);
    assert.deepEqual(evaluate('["\\(1, 2)-\\(3, 4)"]'), ["1-3", "2-3", "1-4", "2-4"]);
    assert.deepEqual(evaluate("[[5, 6][0, 1]]"), [5, 6]);
  });

  it("goes on from null after an update without a value", () => {
    assert.deepEqual(evaluate("[foreach (1, 2, 3) as $n (0; if $n == 2 then empty else . + $n end)]"), [1, 3]);
    assert.equal(evaluate("reduce (1, 2, 3) as $n (0; if $n == 2 then empty else . + $n end)"), 3);
  });

  it("adds up values of one type, whatever comes between", () => {
    assert.deepEqual(evaluate('[(["a", null, "b"], [[1], [], [2]], [1, null, 2], [], [{a: 1}, {b: 2}]) | add]'), [
      "ab",
      [1, 2],
      3,
      null,
      { a: 1, b: 2 },
    ]);
    assert.throws(() => evaluate('["1", []] | add'), /cannot be added/);
    assert.throws(() => evaluate('[[], "1"] | add'), /cannot be added/);
  });

  it("reads JSON text strictly", () => {
    for (const text of ["", "abc", "[1", "1 2", "{a:1}"]) assert.throws(() => evaluate("fromjson", text), ExpressionFault);
    assert.deepEqual(evaluate("fromjson", ' {"a": [1, null]} '), { a: [1, null] });
  });

  it("never gives numbers that JSON doesn't have", () => {
    assert.equal(evaluate("nan"), null);
    assert.deepEqual(evaluate("[infinite, -infinite, {a: nan}]"), [Number.MAX_VALUE, -Number.MAX_VALUE, { a: null }]);
  });
});

describe("an expression that is refused", () => {
  const reasonOf = (source: string, variables?: readonly string[]): string => {
    try {
      compileExpression(source, variables === undefined ? {} : { variables });
    } catch (error) {
      assert.ok(error instanceof ExpressionRefused);
      return error.reason;
    }
    return assert.fail(`${source} was accepted`);
  };

  it("is empty or too long", () => {
    assert.match(reasonOf("${ }"), /nothing/);
    assert.match(reasonOf(`.a${" + 1".repeat(LIMITS.expressionBytes / 4)}`), /bytes/);
  });

  it("reads the world", () => {
    for (const source of ["now", ".a | debug", "$ENV.PATH", "env", "[inputs]", "input_filename", "halt", "localtime", '1 | @base64 "\\(now)"']) {
      assert.match(reasonOf(source), /is not allowed/, source);
    }
  });

  it("is not one that only uses such words as names of fields", () => {
    assert.deepEqual(evaluate(".now, {env: 1}", { now: 2 }), 2);
    assert.deepEqual(evaluate("{env: .input}", { input: 2 }), { env: 2 });
  });

  it("uses a variable that doesn't exist", () => {
    assert.match(reasonOf("$b", ["a"]), /\$b is not defined/);
    assert.equal(compileExpression("$a", { variables: ["a"] }).external, false);
  });
});

describe("an expression outside the subset", () => {
  it("is external, and pending until there is an answer", () => {
    const expression = compileExpression("def f: . + $x; f", { variables: ["x", "y"] });
    assert.equal(expression.external, true);
    assert.deepEqual(expression.variables, ["x"]);
    assert.throws(
      () => expression.evaluate(fixedScope(1, { x: 2, y: 3 })),
      (error) => {
        assert.ok(error instanceof EvaluationPending);
        assert.deepEqual(error.request, { source: "def f: . + $x; f", data: 1, variables: { x: 2 } });
        return true;
      },
    );
    assert.equal(expression.evaluate(fixedScope(1, { x: 2 }, { value: 3 })), 3);
    assert.throws(() => expression.evaluate(fixedScope(1, { x: 2 }, { fault: "why" })), /why/);
  });

  it("may be anything that isn't understood here", () => {
    for (const source of [".[", 'test("a")', "@base64", "label $f | 1", "foo", "{a: 1", '"\\(1"', ".a # \\\n"]) {
      assert.equal(compileExpression(source).external, true, source);
    }
    assert.equal(compileExpression(`${"(".repeat(5_000)}1${")".repeat(5_000)}`).external, true);
  });
});
