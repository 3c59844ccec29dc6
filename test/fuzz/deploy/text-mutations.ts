/** Changes of a text that know nothing of its grammar but its tokens. */
import { type Chance, PROTOTYPE_NAMES } from "../chance.ts";

/** Tokens that mean something in YAML, in JSON or in the workflow language. */
export const TOKENS = [
  ..."&a|*a|*b|<<: *a|!!js/function|!!binary|!tag|---\n|...\n|%YAML 1.1\n---\n|%TAG ! x:\n|? |- |: |#|{|}|[|]|,||\n|>-\n".split("|"),
  ..."\0,\ufeff,\ud800,\udfff,\u2028,\t,\r,\r\n,\\u0000,\\ud800,\u{1f4a5}".split(","),
  ..."null true false ~ 0 -0 1e999 0x1F 0o17 .nan .inf 1_000 2001-01-01 12:30:45 '' \"\" 1.0.0 9007199254740993".split(" "),
  ..."document dsl namespace name version do set call with if then try catch retry for each in at while fork branches compete switch when raise".split(
    " ",
  ),
  ..."error wait run shell command signal@default http input output from as schema export timeout after use errors retries metadata compensate".split(
    " ",
  ),
  ..."${ . } ${ ${} ${.a ${$context} ${now} ${input} ${env} ${.[0]|.[]} continue exit end P1D PT0S P1Y PT1e9S $ref $schema $id pattern".split(" "),
  ...PROTOTYPE_NAMES,
];

type Mutation = (chance: Chance, text: string, other: string) => string;

const MUTATIONS: readonly Mutation[] = [
  flipByte,
  flipByte,
  (chance, text) => splice(text, place(chance, text), 0, chance.pick(TOKENS)),
  (chance, text) => splice(text, place(chance, text), 0, chance.pick(TOKENS)),
  (chance, text) => splice(text, place(chance, text), chance.size(40), ""),
  (chance, text) => splice(text, place(chance, text), chance.size(8), chance.text(chance.size(30))),
  swapWords,
  replaceWord,
  duplicateLines,
  indentLine,
  (chance, text, other) => text.slice(0, place(chance, text)) + other.slice(place(chance, other)),
];

/** The text with one change, or some more. `other` lends parts. */
export function mutatedText(chance: Chance, text: string, other: string): string {
  let changed = text;
  for (let left = chance.oneIn(2) ? 1 : 1 + chance.size(6); left > 0; left -= 1) changed = chance.pick(MUTATIONS)(chance, changed, other);
  return changed;
}

function place(chance: Chance, text: string): number {
  return chance.below(text.length + 1);
}

function splice(text: string, at: number, length: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at + length);
}

/** As the wire does it: a broken sequence becomes U+FFFD. */
function flipByte(chance: Chance, text: string): string {
  const bytes = Buffer.from(text);
  const at = chance.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
  return bytes.toString();
}

function swapWords(chance: Chance, text: string): string {
  const words = text.split(/(\w+)/);
  const first = chance.below(words.length);
  const second = chance.below(words.length);
  return words
    .with(first, words[second] ?? "")
    .with(second, words[first] ?? "")
    .join("");
}

function replaceWord(chance: Chance, text: string): string {
  const words = text.split(/(\w+)/);
  return words.with(chance.below(words.length), chance.pick(TOKENS)).join("");
}

function duplicateLines(chance: Chance, text: string): string {
  const lines = text.split("\n");
  const from = chance.below(lines.length);
  return lines.toSpliced(chance.below(lines.length), 0, ...lines.slice(from, from + 1 + chance.below(4))).join("\n");
}

function indentLine(chance: Chance, text: string): string {
  const lines = text.split("\n");
  const at = chance.below(lines.length);
  const line = lines[at] ?? "";
  return lines.with(at, chance.oneIn(2) ? line.replace(/^ {1,2}/, "") : `${chance.pick([" ", "  ", "\t"])}${line}`).join("\n");
}
