/** Random jq: soups of tokens, programs that were right once, and programs that nest, chain, run or grow without end. */
import fc from "fast-check";
import { anyProgram } from "../../support/jq-programs.ts";
import { type Chance, PROTOTYPE_NAMES } from "../chance.ts";

const WORDS = [
  ..."| , . .. // + - * / % == != < <= > >= = |= += -= *= /= //= ? ( ) [ ] { } : ; ?// and or not if then elif else end try catch as".split(" "),
  ...'reduce foreach def label break import include . .[] .[0] .a .a? ."a" .[1:2] .[-1:] $x $__loc__ $ENV $input $context @base64 @json'.split(" "),
  ...'null true false 0 1 -1 1e308 1e-9 .5 100000000 "" "a" "\\(.)" "\\u0000" "\\ud800" [] {} {a:1} {(.a):1} {$x} {"a":.}'.split(" "),
  ..."length keys values map(.) select(.) recurse recurse(.) range(9) range(0;9;2) add any all flatten floor sqrt pow(2;3) tostring tonumber".split(
    " ",
  ),
  ...'type infinite nan isnan sort sort_by(.a) group_by(.a) unique reverse join(",") split(",") test("a") capture("a") ascii explode'.split(" "),
  ..."tojson fromjson todate env input debug halt now limit(3;.[]) first(.[]) until(.>9;.+1) while(.<9;.+1) repeat(.) paths path(..) del(.a)".split(
    " ",
  ),
  ...'to_entries from_entries with_entries(.) getpath(["a"]) setpath([0];1) splits("a") ltrimstr("a") input_line_number getpath ascii'.split(" "),
  ...PROTOTYPE_NAMES.flatMap((name) => [`.${name}`, `{${name}: 1}`, `has("${name}")`]),
];

const PROGRAMS = fc.sample(anyProgram, { numRuns: 400, seed: 2 });

/** Programs that would run or grow without end. */
const ENDLESS = [
  ...'[range(1e18)]~"x" * 1e9~[recurse(. + 1)]~until(false; .)~[while(true; .)]~.[1e9] = 1~[repeat(1)]~last(range(1e12))~[limit(1e9; repeat(0))]'.split(
    "~",
  ),
  ...'reduce range(1e9) as $i (.; [., .])~reduce range(99) as $i ("x"; . + .)~[range(1e5)] | combinations~[..] | [.[] | ..]~def f: f; f'.split("~"),
  ...'"a" * 1e6 | [splits("")]~[range(3000)] | [.[] as $a | .[] as $b | $a]~def f: [., 1] | f; f~[range(1e5)] | sort_by([range(1e3)])'.split("~"),
];

type Bomb = (size: number) => string;

/** Nesting and chains of every construct of the grammar. */
const BOMBS: readonly Bomb[] = [
  ..."+ - * / % and or , | //".split(" ").map(
    (operator): Bomb =>
      (size) =>
        `1${` ${operator} 1`.repeat(size / (operator.length + 3))}`,
  ),
  ..."== < = |= +=".split(" ").map(
    (operator): Bomb =>
      (size) =>
        `.a${` ${operator} .a`.repeat(size / (operator.length + 4))}`,
  ),
  ...'.a~[0]~?~[]~.[0]~[1:]~."a"'.split("~").map(
    (suffix): Bomb =>
      (size) =>
        `.${suffix.repeat(size / suffix.length)}`,
  ),
  ...'(~[~{a:~{(~-~try ~if ~try . catch ~. as $x | ~reduce ~def f: ~"\\(~.[~not(~map(~{a:.|~. as [~label $x | ~1 | 1, '.split("~").map(
    (open): Bomb =>
      (size) =>
        open.repeat(size / open.length),
  ),
  (size) => `${"(".repeat(size / 2)}.${")".repeat(size / 2)}`,
  (size) => `${"[".repeat(size / 2)}${"]".repeat(size / 2)}`,
  (size) => `${"map(".repeat(size / 5)}.${")".repeat(size / 5)}`,
  (size) => `${"if . then ".repeat(size / 18)}.${" else . end".repeat(size / 18)}`,
  (size) => `if . then . ${"elif . then . ".repeat(size / 14)}else . end`,
  (size) => `{a:.${"|.".repeat(size / 2)}}`,
  (size) => `try${" try".repeat(size / 4)} .`,
  (size) => `${". as $x | ".repeat(size / 10)}$x`,
  (size) => `${"-".repeat(size)}1`,
  (size) => `{${"a:1,".repeat(size / 4)}}`,
  (size) => `"${"\\(1)".repeat(size / 4)}"`,
  (size) => `"${"\\\\".repeat(size / 2)}"`,
  (size) => `f(${".;".repeat(size / 2)}.)`,
  (size) => `1${" ".repeat(size)}`,
  (size) => "9".repeat(size),
  (size) => "a::".repeat(size / 3),
  (size) => "#".repeat(size),
];

/** A program that nests or chains, of `size` characters, roughly. */
export function expressionBomb(chance: Chance, size: number): string {
  return chance.pick(BOMBS)(size);
}

/** A program. */
export function randomExpression(chance: Chance): string {
  const kind = chance.below(20);
  if (kind < 8) return chance.list(1 + chance.size(25), () => chance.pick(WORDS)).join(chance.oneIn(3) ? "" : " ");
  if (kind < 12) return chance.pick(PROGRAMS);
  if (kind < 17) return mutated(chance, chance.pick(PROGRAMS));
  if (kind < 18) return chance.pick(ENDLESS);
  return kind < 19 ? expressionBomb(chance, 4 + chance.size(chance.oneIn(10) ? 20_000 : 300)) : chance.text(chance.size(60));
}

function mutated(chance: Chance, program: string): string {
  const tokens = program.split(/(\w+|\s+|\W)/).filter((token) => token !== "");
  for (let left = 1 + chance.below(4); left > 0; left -= 1) {
    const at = chance.below(tokens.length + 1);
    tokens.splice(at, chance.below(3), ...(chance.oneIn(3) ? [] : [chance.pick(chance.oneIn(2) ? WORDS : tokens) ?? ""]));
  }
  return tokens.join("");
}
