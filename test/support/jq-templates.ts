/**
 * Templates of jq programs. Capital letters that stand alone are holes: N number, S string, B boolean, A array, O object, V any value, T and
 * U paths, P, Q and R wild programs.
 */

/**
 * Builtins of a value. Not among them: `nan` and `infinite`, since NaN is less than itself and the order of sorting with it is chance; and
 * `fromjson` of any text, whose messages differ.
 */
export const VALUE_CALLS = (
  "length keys keys_unsorted values not type tostring tonumber tojson add any all flatten reverse sort unique min max " +
  "to_entries from_entries first last floor sqrt ceil round abs fabs ascii_downcase ascii_upcase trim ltrim rtrim transpose recurse paths " +
  "empty error numbers strings arrays objects iterables scalars booleans nulls isnan utf8bytelength"
).split(" ");
/** Builtins of one value more. */
export const ARGUMENT_CALLS =
  "has contains inside in join split startswith endswith ltrimstr rtrimstr index rindex indices flatten error range getpath delpaths IN".split(" ");
/** Builtins that take a filter. */
export const FILTER_CALLS =
  "map select map_values sort_by group_by unique_by min_by max_by any all add first last isempty with_entries path del paths walk".split(" ");
/** Calls with two arguments. */
export const TWO_CALLS = [
  "limit(2; P)",
  "limit(P; Q)",
  "nth(1; P)",
  "nth(P; Q)",
  "range(P; Q)",
  "any(P; Q)",
  "all(P; Q)",
  "setpath([P]; Q)",
  "IN(P; Q)",
];
/** Binary operators. */
export const BINARIES = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//", ",", "|"];
/** Wild programs of other wild programs. */
export const SHAPES = [
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
/** Programs that say with operators, and not with parentheses, what belongs together. */
export const PRECEDENCE = [
  "V + N * N",
  "N - N - N",
  "N / 2 * N",
  "N % 5 - N",
  "-N + N",
  "-N * -N",
  "V // V | V",
  "V, V // V",
  "V // V // V",
  "N < N + N",
  "V == V and B",
  "B or B and B",
  "B and V // V",
  "V | V, V",
  "V + V as $x | V",
  "V // V as $x | [$x, V]",
  "V, V as $x | [$x, V]",
  "-N as $x | $x, V",
  "V as $x | V, V as $y | [$x, $y]",
  "reduce N + N as $x (V; [., $x])",
  "[foreach V // V as $y (V; [., $y])]",
  "T = V // V",
  "T |= V, V",
  "T += N | V",
  "T += N * N, V",
  "T //= V and V",
  "try V catch V | V",
  "try V // V",
  "if V // V then V, V else V | V end",
  "[V, V | V]",
  "{a: V + V, b: V // V | V}",
  "V[V, V]?",
  "[V[V:V]?]",
  "[(N, N) - (N, N)]",
  "[(V, V) == (V, V)]",
  "[(B, B) and (B, B)]",
  '["\\(V, V)-\\(V, V)"]',
  "[{a: (V, V), b: (V, V)}]",
  "[{(S, S): (V, V)}]",
  "[A[N, N]]",
  "[A[(N, N):(N, N)]]",
  "[(V, V) as $x | (V, V)]",
  "[range(0, N; 2, 3)]",
  "[limit((1, 2); V, V)]",
  '[setpath((["a"], ["b"]); V, V)?]',
  "[foreach (V, V, V) as $x (V; V, V)]",
  "[foreach (N, N, N) as $x (N; if B then empty else . + $x end)]",
  "reduce (N, N, N) as $x (N; if B then empty else ., . + $x end)",
  '[(try (N, N) catch 9) | if B then error("later") else . end]',
  "[(try (N, error(V), N) catch .), N]",
  "O | (T, T, U) |= V",
] as const;

/** Paths without holes. */
export const PATHS = [
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
/** Paths of other paths. */
export const PLACES = [
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
/** Assignments. */
export const UPDATES = ["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="];
