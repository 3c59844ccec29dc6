/**
 * Random jq programs of the compiled subset and random values, for fast-check. Two grammars: a typed one, whose programs mostly give a value,
 * and a wild one, which applies anything to anything and mostly faults. In templates, capital letters are holes: N number, S string,
 * B boolean, A array, O object, V any value, T and U paths, P, Q and R wild programs.
 */
import fc from "fast-check";
import type { Json } from "../../actors/json.ts";

const KEYS = ["a", "b", "c", "name", "é", "__proto__", "constructor"] as const;
const TEXTS = ["", "a", "abc", "a,b", "1", "-2.5", "é😀x", "￿", "null", " A z "] as const;
const NUMBERS = [0, 1, 2, 3, -1, -2, 1.5, 0.1, 10, -0.5, 1000] as const;

/** Values: small trees of few keys, so that programs find something in them. */
export const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json; leaf: Json }>((tie) => ({
  leaf: fc.oneof(fc.constantFrom<Json>(null, true, false), fc.constantFrom<Json>(...NUMBERS), fc.constantFrom<Json>(...TEXTS)),
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }) as fc.Arbitrary<Json>,
    fc.array(fc.tuple(fc.constantFrom(...KEYS), tie("value")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

const VALUE_CALLS = (
  "length keys keys_unsorted values not type tostring tonumber tojson fromjson add any all flatten reverse sort unique min max " +
  "to_entries from_entries first last floor sqrt ceil round abs fabs ascii_downcase ascii_upcase trim ltrim rtrim transpose recurse paths " +
  "empty error numbers strings arrays objects iterables scalars booleans nulls nan infinite isnan utf8bytelength"
).split(" ");
const ARGUMENT_CALLS =
  "has contains inside in join split startswith endswith ltrimstr rtrimstr index rindex indices flatten error range getpath delpaths IN".split(" ");
const FILTER_CALLS =
  "map select map_values sort_by group_by unique_by min_by max_by any all add first last isempty with_entries path del paths walk".split(" ");
const TWO_CALLS = ["limit(2; P)", "limit(P; Q)", "nth(1; P)", "nth(P; Q)", "range(P; Q)", "any(P; Q)", "all(P; Q)", "setpath([P]; Q)", "IN(P; Q)"];
const BINARIES = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", ",", "|"];
const SHAPES = [
  "(P | Q)",
  "(P | Q)",
  "(P // Q)",
  "(P, Q)",
  "[P]",
  "[P, Q]",
  "[P | Q]",
  "{a: P, b: Q}",
  "{a: P}",
  '{(P): Q, "c d": 1}',
  "{a, $x, name}",
  "(try P catch .)",
  "(try P catch Q)",
  "[P?]",
  "(P)?",
  "-(P)",
  "if P then Q else R end",
  "if P then Q end",
  "if P then Q elif R then 1 else 2 end",
  "(P as $x | Q)",
  "(P as [$x, $y] | Q)",
  "(P as {a: $x, $b} | Q, $b)",
  "reduce P as $x (Q; R)",
  "[foreach P as $x (Q; R)]",
  "[foreach P as $y (Q; R; [$y, .])]",
  '"<\\(P)>"',
  '"\\(P)-\\(Q)"',
  "(P)[Q]",
  "(P)[Q:R]",
  "(P)[]",
  "(P).a",
  "(P).b?",
  "(P | .[1:])",
] as const;
const PATHS = [
  ".",
  ".a",
  ".b",
  ".a.b",
  '."é"',
  '.["__proto__"]',
  ".constructor",
  ".[0]",
  ".[-1]",
  ".[1:]",
  ".[:-1]",
  ".[]",
  ".[]?",
  ".a?",
  "..",
  ".a[0]",
];
const PLACES = [
  "T",
  "T",
  "(T, U)",
  "(T | U)",
  "(T | select(P))",
  "T[]?",
  "(T // U)",
  "(if P then T else U end)",
  "first(T, U)",
  "T[P]",
  "(.. | select(P))",
];
const UPDATES = ["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="];

const TYPED: Readonly<Record<"N" | "S" | "B" | "A" | "O" | "V", readonly string[]>> = {
  N: [
    "(S | length)",
    "(A | length)",
    "(O | length)",
    "(N + N)",
    "(N - N)",
    "(N * N)",
    "(N / 4)",
    "(N % 7)",
    "-(N)",
    "(N | floor)",
    "(N | round)",
    "(N | abs)",
    "(V | tonumber? // N)",
    "(V | numbers // N)",
    "reduce A[] as $x (N; . + 1)",
    "(A | index(V) // N)",
    "([V, V] | map(numbers) | add // N)",
    "(N | until(. > 50; . * 2 + 100))",
    "first(range(N; 1000), N)",
    "(S | tojson | utf8bytelength)",
  ],
  S: [
    "(V | tostring)",
    "(V | tojson)",
    "(V | type)",
    "(S + S)",
    '"<\\(V)>"',
    '"\\(V, V)-\\(N)"',
    "(S | ascii_upcase)",
    "(S | ascii_downcase)",
    "(S | trim)",
    "(S | ltrimstr(S))",
    "(S | rtrimstr(S))",
    "(A | map(tostring) | join(S))",
    "S[N:N]",
    "(S | .[1:])",
    "(V | strings // S)",
    "(S * 2)",
    "(try error(V) catch tojson)",
    "(try (V + V | tojson) catch .)",
    "(try V.a catch .)",
    "(O | keys | first // S)",
  ],
  B: [
    "(V == V)",
    "(V != V)",
    "(V < V)",
    "(V <= V)",
    "(V > V)",
    "(N >= N)",
    "(S < S)",
    "(B and B)",
    "(B or V)",
    "(V | not)",
    "(S | startswith(S))",
    "(S | contains(S))",
    "(A | contains(A))",
    "(O | contains({}))",
    "(O | has(S))",
    "(A | has(N))",
    "(A | any(B))",
    "(A | all)",
    "(V | IN(V, V))",
    "isempty(V, V)",
    "(A | inside(A))",
    "(S | in(O))",
  ],
  A: [
    "[V]",
    "[V, V]",
    "[N, N, N]",
    "[S, S]",
    "[A[] | V]",
    "(A + A)",
    "(A - A)",
    "(A | map(V))",
    "(A | map(select(B)))",
    "(A | sort)",
    "(A | sort_by(V))",
    "(A | sort_by(V, V))",
    "(A | unique)",
    "(A | unique_by(V))",
    "(A | group_by(V))",
    "(A | reverse)",
    "(A | flatten)",
    "(A | flatten(1))",
    "A[N:N]",
    "(A | .[:-1])",
    "(S | split(S))",
    "(S / S)",
    "(O | keys)",
    "(O | to_entries)",
    "[O[]]",
    "[V | ..]",
    "[V | paths]",
    "[V | .[]?]",
    "[range(5)]",
    "[range(0; 6; 2)]",
    "[limit(2; A[])]",
    "(A | del(.[N]))",
    "(A | del(.[] | select(B)))",
    "(A | .[1] = V)",
    "(A | .[0] |= V)",
    "(A | .[1:] = A)",
    "(A | .[]? += null)",
    "(S | indices(S))",
    "(A | indices(V))",
    "[foreach A[] as $x (V; [$x, .]; .)]",
    "[A[] as $x | $x, V]",
    "(A | map(arrays) | transpose)",
    "(V | arrays // A)",
    "[path(..)]",
    "(A | walk(if numbers then . + 1 else . end))",
    "[A | first, last]",
  ],
  O: [
    "{a: V}",
    "{a: V, b: V}",
    "{(S): V}",
    '{"c d": V, name: N}',
    "{a: (V, V)}",
    "{$x, y: $y}",
    "(O + O)",
    "(O * O)",
    "(O | .a = V)",
    "(O | .b |= V)",
    "(O | .a.b? //= V)",
    '(O | .["__proto__"] = V)',
    "(O | .constructor = V)",
    "(O | del(.a, .b))",
    "(O | map_values(V))",
    "(O | map_values(select(B)))",
    "(O | with_entries(.value |= V))",
    "(O | with_entries(select(B)))",
    "([O | to_entries[]] | from_entries)",
    "(O | to_entries | map({key, value: V}) | from_entries)",
    "(A | map(objects) | add // {})",
    "(V | objects // O)",
    "(V | tojson | fromjson | objects // O)",
    "reduce (S, S) as $x ({}; .[$x] = V)",
    "(O | .c += N)",
    '(O | setpath(["a"]; V))',
    "(O | delpaths([[S]]))",
  ],
  V: [
    "if B then V else V end",
    "if V then V end",
    "(V // V)",
    "(V as $x | V)",
    "(V as $y | V)",
    "([V, V] as [$x, $y] | V)",
    "(O as {a: $x, $b} | [$x, $b, V])",
    "(V | V)",
    "(V, V)",
    "(try V catch V)",
    "(O.a)",
    "(O[S])",
    "(A[N])",
    "(V | .a?)",
    "(V | .[0]?)",
    "(V | .b? // V)",
    "(A | first)",
    "(A | last)",
    "(A | min)",
    "(A | max_by(V))",
    "(A | min_by(N))",
    '(V | getpath(["a"])?)',
    "first(V, V)",
    "last(V, V)",
    "nth(1; V, V, V)",
    "[limit(3; V, V)]",
    "(P)?",
    "(try P catch .)",
    "[P?]",
  ],
};

type Grammar = Record<"N" | "S" | "B" | "A" | "O" | "V" | "T" | "P", string>;

const HOLE = /\b[NSBAOVTUPQR]\b/g;
const grammar = fc.letrec<Grammar>((tie) => {
  /** Fills each hole of a template with another program of its kind. */
  const fill = (template: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    template.chain((text) => {
      const holes = text.match(HOLE) ?? [];
      const kinds = holes.map((hole) => tie(hole === "Q" || hole === "R" ? "P" : hole === "U" ? "T" : (hole as keyof Grammar)));
      return fc.tuple(...kinds).map((programs) => {
        let next = 0;
        return text.replace(HOLE, () => programs[next++] as string);
      });
    });
  const typed = (kind: keyof typeof TYPED, ...leaves: string[]): fc.Arbitrary<string> =>
    fc.oneof({ maxDepth: 4, depthSize: "small", withCrossShrink: true }, fc.constantFrom(...leaves), fill(fc.constantFrom(...TYPED[kind])));
  const wildLeaf = fc.oneof(
    { arbitrary: fc.constantFrom(...PATHS), weight: 6 },
    { arbitrary: fc.constantFrom(...VALUE_CALLS), weight: 4 },
    { arbitrary: fc.constantFrom(...NUMBERS).map(String), weight: 2 },
    { arbitrary: fc.constantFrom(...TEXTS).map((text) => JSON.stringify(text)), weight: 2 },
    { arbitrary: fc.constantFrom("$x", "$y", "null", "true", "false", "[]", "{}", "[1,2,3]", '{"a":1}', "range(3)"), weight: 2 },
  );
  return {
    N: typed("N", ...NUMBERS.map(String)),
    S: typed("S", ...TEXTS.map((text) => JSON.stringify(text))),
    B: typed("B", "true", "false"),
    A: typed("A", "[]", "[1,2,3]", '["a","b"]', '[{"a":1},{"a":2,"b":[3]}]', "[[1,2],[3]]", "[null,1,[],{}]", "[.[]?]"),
    O: typed("O", "{}", '{"a":1}', '{"a":{"b":2},"name":"x"}', "(objects // {})"),
    V: typed("V", ".", "$x", "$y", ".a?", ".b?", ".[]?", "7", "null", "..").map((text) => text.replaceAll("7", "7")),
    T: fc.oneof({ maxDepth: 2 }, fc.constantFrom(...PATHS), fill(fc.constantFrom(...PLACES))),
    P: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      wildLeaf,
      fill(fc.constantFrom(...SHAPES)),
      fill(fc.constantFrom(...BINARIES).map((operator) => `(P ${operator} Q)`)),
      fill(fc.constantFrom(...ARGUMENT_CALLS).map((name) => `(P | ${name}(Q))`)),
      fill(fc.constantFrom(...FILTER_CALLS).map((name) => `(P | ${name}(${name === "path" || name === "del" ? "T" : "Q"}))`)),
      fill(fc.constantFrom(...TWO_CALLS)),
      fill(fc.constantFrom(...UPDATES).map((operator) => `(P | T ${operator} Q)`)),
    ),
  };
});

/** Programs. They may use `$x` and `$y`. */
export const anyProgram: fc.Arbitrary<string> = fc.oneof(...(["N", "S", "B", "A", "O", "V", "V", "V", "P"] as const).map((kind) => grammar[kind]));
