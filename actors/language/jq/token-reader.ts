/**
 * A cursor over tokens, for the parsers.
 */
import type { Token } from "./lexer.ts";
import { OutsideSubset } from "./syntax.ts";

const END: Token = { kind: "end", text: "", parts: [] };

/** Reads tokens one after the other. `take…` goes on only if the token fits; `expect…` throws {@link OutsideSubset} if it doesn't. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token, and on to the one after it. */
  next(): Token {
    const token = this.#current();
    this.#at += 1;
    return token;
  }

  /** True if the token is this operator. */
  peek(operator: string): boolean {
    const token = this.#current();
    return token.kind === "operator" && token.text === operator;
  }

  take(operator: string): boolean {
    if (!this.peek(operator)) return false;
    this.#at += 1;
    return true;
  }

  /** The operator, if it is one of these. */
  takeAny(operators: ReadonlySet<string>): string | undefined {
    const token = this.#current();
    if (token.kind !== "operator" || !operators.has(token.text)) return undefined;
    this.#at += 1;
    return token.text;
  }

  takeKind(kind: Token["kind"]): Token | undefined {
    return this.#current().kind === kind ? this.next() : undefined;
  }

  takeName(name: string): boolean {
    const token = this.#current();
    if (token.kind !== "name" || token.text !== name) return false;
    this.#at += 1;
    return true;
  }

  expect(operator: string): void {
    if (!this.take(operator)) throw new OutsideSubset(`expected ${operator}`);
  }

  expectName(name: string): void {
    if (!this.takeName(name)) throw new OutsideSubset(`expected ${name}`);
  }

  expectEnd(): void {
    if (this.#current().kind !== "end") throw new OutsideSubset(`unexpected ${this.#current().text}`);
  }

  #current(): Token {
    return this.#tokens[this.#at] ?? END;
  }
}
