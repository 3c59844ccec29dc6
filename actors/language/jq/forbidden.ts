/**
 * What an expression must not do: read the world, the clock or the environment, or write anywhere. An evaluation must give the same value
 * whenever it is repeated.
 */
import { type Token, tokensOf } from "./lexer.ts";
import { OutsideSubset } from "./syntax.ts";

const REASONS: ReadonlyMap<string, string> = new Map([
  ...names("it gives another value each time", ["now", "localtime", "mktime_local", "strflocaltime", "getpid"]),
  ...names("it reads the environment of the process", ["env", "$ENV", "$__prog_args", "get_search_list", "$__prog_name"]),
  ...names("it reads another input", ["input", "inputs", "input_filename", "input_line_number"]),
  ...names("it writes to the process's log", ["debug", "stderr"]),
  ...names("it ends the process", ["halt", "halt_error"]),
  ...names("it loads other files", ["import", "include", "module", "modulemeta"]),
]);

/** Why a program is refused, or undefined. Names of fields and keys are not looked at. */
export function refusalOf(source: string): string | undefined {
  const word = words(source).find((candidate) => REASONS.has(candidate));
  return word === undefined ? undefined : `${word} is not allowed (${REASONS.get(word)})`;
}

/** Names of all variables in a program, without `$`: those that it binds itself too. */
export function namesIn(source: string): readonly string[] {
  const variables = words(source).filter((word) => word.startsWith("$"));
  return [...new Set(variables.map((word) => word.slice(1)))];
}

function names(reason: string, list: readonly string[]): [string, string][] {
  return list.map((name) => [name, reason]);
}

/** Calls, and variables with `$`, in order. */
function words(source: string): readonly string[] {
  try {
    return wordsOf(tokensOf(source));
  } catch (error) {
    if (!(error instanceof OutsideSubset)) throw error;
    return source.match(/[$.]?[a-zA-Z_][a-zA-Z_0-9]*/g)?.filter((word) => !word.startsWith(".")) ?? [];
  }
}

function wordsOf(tokens: readonly Token[]): readonly string[] {
  return tokens.flatMap((token, at) => {
    if (token.kind === "string") return token.parts.flatMap((part) => (typeof part === "string" ? [] : wordsOf(part)));
    if (token.kind === "variable") return [`$${token.text}`];
    if (token.kind !== "name" || isKey(tokens, at)) return [];
    return [token.text];
  });
}

/** A key of an object construction, `{name: …}`. */
function isKey(tokens: readonly Token[], at: number): boolean {
  return tokens[at + 1]?.kind === "operator" && tokens[at + 1]?.text === ":";
}
