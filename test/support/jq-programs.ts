/**
 * Random jq programs of the compiled subset, for fast-check. Two grammars: a typed one, whose programs mostly give a value, and a wild one,
 * which applies anything to anything and mostly faults.
 */
import fc from "fast-check";
import { ARGUMENT_CALLS, BINARIES, FILTER_CALLS, PATHS, PLACES, PRECEDENCE, SHAPES, TWO_CALLS, UPDATES, VALUE_CALLS } from "./jq-templates.ts";
import { TYPED } from "./jq-typed-templates.ts";
import { NUMBERS, TEXTS } from "./jq-values.ts";

type Grammar = Record<"N" | "S" | "B" | "A" | "O" | "V" | "T" | "P" | "plain", string>;

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
    plain: fill(fc.constantFrom(...PRECEDENCE)),
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
export const anyProgram: fc.Arbitrary<string> = fc.oneof(
  ...(["N", "S", "B", "A", "O", "V", "V", "V", "P", "plain"] as const).map((kind) => grammar[kind]),
);
