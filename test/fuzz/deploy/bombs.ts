/** Documents that are made to exhaust what reads them: by depth, by number, by size, by multiplication. */
import { HEAD } from "../../support/compile-document.ts";
import type { Chance } from "../chance.ts";
import { expressionBomb } from "./expressions.ts";

type Bomb = (size: number, chance: Chance) => string;

const repeat = (count: number, make: (at: number) => string, separator = "\n"): string =>
  Array.from({ length: count }, (_, at) => make(at)).join(separator);
const tasks = (count: number, body: (at: number) => string): string => `${HEAD}do:\n${repeat(count, (at) => `  - t${at}: ${body(at)}`)}\n`;
const one = (body: string): string => tasks(1, () => body);

/** By what they do; `size` is a number of characters, roughly. */
const BOMBS: readonly Bomb[] = [
  (size) => "[".repeat(size),
  (size) => "[".repeat(size / 2) + "]".repeat(size / 2),
  (size) => '{"a":'.repeat(size / 5),
  (size) => "- ".repeat(size / 2),
  (size) => "? ".repeat(size / 2),
  (size) => "a: &x ".repeat(size / 6),
  (size) => `${HEAD}do: ${'[{"t":{"do":'.repeat(size / 12)}`,
  (size) => repeat(Math.min(400, size / 4), (at) => `${" ".repeat(at)}a:`),
  (size) => `a: &a [x]\n${repeat(size / 40, (at) => `k${at}: &a${at} [${at === 0 ? "*a" : `*a${at - 1}, *a${at - 1}, *a${at - 1}`}]`)}\n`,
  (size) => `${HEAD}x: &x {${repeat(size / 20, (at) => `k${at}: 1`, ", ")}}\ndo:\n${repeat(200, (at) => `  - t${at}: { set: *x }`)}\n`,
  (size) => `${repeat(size / 5, () => "*a", ", ")}`,
  (size) => repeat(size / 4, () => "k: 1"),
  (size) => `{${repeat(size / 6, (at) => `"k${at}":1`, ",")}}`,
  (size) => tasks(size / 25, () => "{ set: { a: 1 } }"),
  (size) => tasks(size / 25, () => "{ nothing: 1 }"),
  (size) => tasks(size / 40, () => "{ set: { a: '${ $nowhere }' } }"),
  (size) => tasks(size / 25, () => "{ wait: P1Y }"),
  (size) => one(`{ set: { a: "${"x".repeat(size)}" } }`),
  (size) => one(`{ set: { a: ${"9".repeat(size)} } }`),
  (size) => one(`{ set: { a: 1e${"9".repeat(size)} } }`),
  (size) => one(`{ wait: P${"1".repeat(size)}D }`),
  (size) => one(`{ call: http, with: { method: get, endpoint: "http://x/${"{a}".repeat(size / 3)}" } }`),
  (size) => one(`{ set: { "${"k".repeat(size)}": 1 } }`),
  (size) => `%YAML 1.2\n${"#".repeat(size)}\n---\n${HEAD}`,
  (size) => `${"---\n".repeat(size / 4)}`,
  (size) => `a: "${"\\u0000".repeat(size / 6)}"`,
  (size) => `a: |${"\n ".repeat(size / 2)}`,
  (size) => `a: '${"''".repeat(size / 2)}`,
  (size) => `"${"\\".repeat(size)}`,
  (size) => "\u{1f4a5}".repeat(size / 4),
  (size) => one(`{ input: { schema: { document: { pattern: "(${"a*".repeat(Math.min(size, 30_000) / 2)})*b" } } }, set: {} }`),
  (size) => one(`{ input: { schema: { document: ${'{"not":'.repeat(Math.min(size / 8, 90))}true${"}".repeat(Math.min(size / 8, 90))} } }, set: {} }`),
  (size) =>
    one(`{ input: { schema: { document: { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } } } }, set: { a: "${"y".repeat(size / 9)}" } }`),
  (size, chance) => one(`{ set: { a: ${JSON.stringify(`\${ ${expressionBomb(chance, Math.min(size, 16_000))} }`)} } }`),
  (size, chance) => tasks(size / 400, () => `{ if: ${JSON.stringify(expressionBomb(chance, 300))}, set: {} }`),
];

/** One of the bombs, of at most `largest` characters. */
export function bomb(chance: Chance, largest: number): string {
  return chance.pick(BOMBS)(Math.max(16, chance.size(largest)), chance);
}
