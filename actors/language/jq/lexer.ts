/**
 * Tokens of a jq program. A string with interpolations is one token whose parts hold the tokens of each interpolation.
 */
import { OutsideSubset } from "./syntax.ts";

/** A token. `text` is the operator, the name without `.`, `$` or `@`, or the number. */
export interface Token {
  readonly kind: "operator" | "name" | "field" | "variable" | "format" | "number" | "string" | "end";
  readonly text: string;
  /** Of a string: texts and the tokens of interpolations, in order. */
  readonly parts: readonly (string | readonly Token[])[];
}

const SPACE = /[ \t\n\r]+|#[^\n\r\\]*/y;
const OPERATOR = /\?\/\/=?|\/\/=|[|+\-*/%=!<>]=|\/\/|\.\.|[.?=;,:|+\-*/%<>()[\]{}]/y;
const NUMBER = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const NAME = /(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*/y;
const FIELD = /\.([a-zA-Z_][a-zA-Z_0-9]*)/y;
const VARIABLE = /\$([a-zA-Z_][a-zA-Z_0-9]*)/y;
const FORMAT = /@([a-zA-Z0-9_]+)/y;
const TEXT = /[^"\\]+/y;
const ESCAPES = /(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The tokens of `source`, the last of kind `end`.
 *
 * @throws OutsideSubset it is not a sequence of tokens.
 */
export function tokensOf(source: string): readonly Token[] {
  const lexer = new Lexer(source);
  const tokens = lexer.tokens(false);
  return tokens;
}

/** Interpolations may nest this deep. */
const DEPTH_MAX = 16;

class Lexer {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Tokens up to the end of the source or, in an interpolation, up to the parenthesis that closes it. */
  tokens(interpolation: boolean): readonly Token[] {
    const tokens: Token[] = [];
    let open = 0;
    for (;;) {
      while (this.#match(SPACE) !== undefined);
      if (this.#at >= this.#source.length) {
        if (interpolation) throw new OutsideSubset("unterminated interpolation");
        tokens.push(token("end", ""));
        return tokens;
      }
      const next = this.#next();
      if (next.text === "(" && next.kind === "operator") open += 1;
      if (next.text === ")" && next.kind === "operator") {
        if (open === 0 && interpolation) {
          tokens.push(token("end", ""));
          return tokens;
        }
        open -= 1;
      }
      tokens.push(next);
    }
  }

  #next(): Token {
    if (this.#source[this.#at] === '"') return this.#string();
    const field = this.#match(FIELD);
    if (field !== undefined) return token("field", field.slice(1));
    const number = this.#match(NUMBER);
    if (number !== undefined) return token("number", number);
    const operator = this.#match(OPERATOR);
    if (operator !== undefined) return token("operator", operator);
    const name = this.#match(NAME);
    if (name !== undefined) return token("name", name);
    const variable = this.#match(VARIABLE);
    if (variable !== undefined) return token("variable", variable.slice(1));
    const format = this.#match(FORMAT);
    if (format !== undefined) return token("format", format.slice(1));
    throw new OutsideSubset(`unexpected character ${JSON.stringify(this.#source[this.#at])}`);
  }

  #string(): Token {
    const parts: (string | readonly Token[])[] = [];
    this.#at += 1;
    for (;;) {
      const text = this.#match(TEXT);
      const escapes = text === undefined ? this.#match(ESCAPES) : undefined;
      if (text !== undefined) parts.push(text);
      else if (escapes !== undefined) parts.push(unescaped(escapes));
      else if (this.#source.startsWith("\\(", this.#at)) parts.push(this.#interpolation());
      else if (this.#source[this.#at] === '"') break;
      else throw new OutsideSubset("unterminated string or unknown escape");
    }
    this.#at += 1;
    return { kind: "string", text: "", parts };
  }

  #interpolation(): readonly Token[] {
    this.#at += 2;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new OutsideSubset("interpolations nest too deeply");
    const tokens = this.tokens(true);
    this.#depth -= 1;
    return tokens;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function token(kind: Token["kind"], text: string): Token {
  return { kind, text, parts: [] };
}

function unescaped(escapes: string): string {
  const text = JSON.parse(`"${escapes}"`) as string;
  if (LONE_SURROGATE.test(text)) throw new OutsideSubset("half of a surrogate pair");
  return text;
}
