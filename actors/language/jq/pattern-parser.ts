/**
 * Parses what follows `as`: `$name`, `[patterns]` or `{fields}`. Computed keys and alternatives (`?//`) are outside the subset.
 */
import { type FieldPattern, OutsideSubset, type Pattern } from "./syntax.ts";
import type { TokenReader } from "./token-reader.ts";

/** Nesting of a pattern. */
const DEPTH_MAX = 20;

/** The pattern at the reader's place. Throws OutsideSubset. */
export function parsePattern(tokens: TokenReader, depth = 0): Pattern {
  if (depth > DEPTH_MAX) throw new OutsideSubset("pattern nests too deeply");
  const variable = tokens.takeKind("variable");
  if (variable !== undefined) return { kind: "name", name: variable.text };
  if (tokens.take("[")) {
    const items: Pattern[] = [];
    do items.push(parsePattern(tokens, depth + 1));
    while (tokens.take(","));
    tokens.expect("]");
    return { kind: "items", items };
  }
  tokens.expect("{");
  const fields: FieldPattern[] = [];
  do fields.push(parseField(tokens, depth + 1));
  while (tokens.take(","));
  tokens.expect("}");
  return { kind: "fields", fields };
}

function parseField(tokens: TokenReader, depth: number): FieldPattern {
  const variable = tokens.takeKind("variable");
  if (variable !== undefined) {
    const pattern = tokens.take(":") ? parsePattern(tokens, depth) : undefined;
    return { key: variable.text, name: variable.text, pattern };
  }
  const key = parseKey(tokens);
  tokens.expect(":");
  return { key, name: undefined, pattern: parsePattern(tokens, depth) };
}

function parseKey(tokens: TokenReader): string {
  const name = tokens.takeKind("name");
  if (name !== undefined) return name.text;
  const parts = tokens.takeKind("string")?.parts;
  if (parts === undefined || !parts.every((part) => typeof part === "string")) throw new OutsideSubset("computed key in a pattern");
  return parts.join("");
}
