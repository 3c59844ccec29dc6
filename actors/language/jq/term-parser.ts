/**
 * Parses terms: what stands between operators, with the `.a`, `[b]` and `?` that follow it.
 */
import type { Token } from "./lexer.ts";
import { parsePattern } from "./pattern-parser.ts";
import { type Field, type Node, type NodeOf, OutsideSubset } from "./syntax.ts";
import type { TokenReader } from "./token-reader.ts";

/** The parser of filters, as terms see it: filters stand inside of terms. */
export interface FilterParser {
  /** A filter with all operators. */
  pipe(): Node;
  /** A filter without pipe and comma at its top. */
  alternative(): Node;
  /** The filter in an interpolation. */
  interpolation(tokens: readonly Token[]): Node;
  /** Parses one level deeper. Throws OutsideSubset if that is too deep. */
  nested<T>(parseInner: () => T): T;
}

const IDENTITY: Node = { kind: "identity" };
const RESERVED: ReadonlySet<string> = new Set(
  "then elif else end as catch and or def label break import include module foreach reduce if try __loc__".split(" "),
);

/** Parses one term after the other from the tokens that it shares with the parser of filters. */
export class TermParser {
  readonly #tokens: TokenReader;
  readonly #filters: FilterParser;

  constructor(tokens: TokenReader, filters: FilterParser) {
    this.#tokens = tokens;
    this.#filters = filters;
  }

  /** A term with its suffixes. */
  postfix(): Node {
    let term = this.#term();
    for (;;) {
      const next = this.#suffix(term);
      if (next === undefined) return term;
      term = next;
    }
  }

  #suffix(target: Node): Node | undefined {
    const field = this.#tokens.takeKind("field");
    if (field !== undefined) return this.#selected({ kind: "index", target, key: { kind: "literal", value: field.text }, optional: false });
    if (this.#tokens.take("?")) return { kind: "try", body: target, handler: undefined };
    if (this.#tokens.take("[")) return this.#bracket(target);
    if (!this.#tokens.take(".")) return undefined;
    const text = this.#tokens.takeKind("string");
    if (text !== undefined) return this.#selected({ kind: "index", target, key: this.#text(text), optional: false });
    this.#tokens.expect("[");
    return this.#bracket(target);
  }

  #bracket(target: Node): Node {
    if (this.#tokens.take("]")) return this.#selected({ kind: "iterate", target, optional: false });
    if (this.#tokens.take(":")) {
      const to = this.#filters.pipe();
      this.#tokens.expect("]");
      return this.#selected({ kind: "slice", target, from: undefined, to, optional: false });
    }
    const key = this.#filters.pipe();
    if (!this.#tokens.take(":")) {
      this.#tokens.expect("]");
      return this.#selected({ kind: "index", target, key, optional: false });
    }
    const to = this.#tokens.peek("]") ? undefined : this.#filters.pipe();
    this.#tokens.expect("]");
    return this.#selected({ kind: "slice", target, from: key, to, optional: false });
  }

  /** With the `?` that may follow it at once. */
  #selected(node: NodeOf<"index" | "slice" | "iterate">): Node {
    return this.#tokens.take("?") ? { ...node, optional: true } : node;
  }

  #term(): Node {
    const token = this.#tokens.next();
    switch (token.kind) {
      case "number":
        return { kind: "literal", value: Number(token.text) };
      case "string":
        return this.#text(token);
      case "variable":
        if (token.text === "__loc__") throw new OutsideSubset("$__loc__");
        return { kind: "variable", name: token.text };
      case "field":
        return this.#selected({ kind: "index", target: IDENTITY, key: { kind: "literal", value: token.text }, optional: false });
      case "name":
        return this.#word(token.text);
      case "operator":
        return this.#bracketed(token.text);
      default:
        throw new OutsideSubset(`unexpected ${token.kind}`);
    }
  }

  #bracketed(operator: string): Node {
    switch (operator) {
      case ".":
        return this.#dot();
      case "..":
        return { kind: "call", name: "recurse", args: [] };
      case "(":
        return this.#until(")");
      case "[":
        return this.#tokens.take("]") ? { kind: "array", body: undefined } : { kind: "array", body: this.#until("]") };
      case "{":
        return { kind: "object", fields: this.#fields() };
      default:
        throw new OutsideSubset(`unexpected ${operator}`);
    }
  }

  #dot(): Node {
    const text = this.#tokens.takeKind("string");
    if (text === undefined) return IDENTITY;
    return this.#selected({ kind: "index", target: IDENTITY, key: this.#text(text), optional: false });
  }

  #until(close: string): Node {
    const inner = this.#filters.pipe();
    this.#tokens.expect(close);
    return inner;
  }

  #text(token: Token): Node {
    const parts = token.parts.map((part) => (typeof part === "string" ? part : this.#filters.interpolation(part)));
    if (parts.every((part) => typeof part === "string")) return { kind: "literal", value: parts.join("") };
    return { kind: "text", parts };
  }

  #word(name: string): Node {
    if (name === "if") return this.#if();
    if (name === "try") return this.#try();
    if (name === "reduce" || name === "foreach") return this.#fold(name);
    if (RESERVED.has(name)) throw new OutsideSubset(`unexpected ${name}`);
    if (name === "null") return { kind: "literal", value: null };
    if (name === "true" || name === "false") return { kind: "literal", value: name === "true" };
    const args: Node[] = [];
    if (this.#tokens.take("(")) {
      do args.push(this.#filters.pipe());
      while (this.#tokens.take(";"));
      this.#tokens.expect(")");
    }
    return { kind: "call", name, args };
  }

  #if(): Node {
    const condition = this.#filters.pipe();
    this.#tokens.expectName("then");
    const then = this.#filters.pipe();
    const otherwise = this.#tokens.takeName("elif") ? this.#filters.nested(() => this.#if()) : this.#else();
    return { kind: "if", condition, then, otherwise };
  }

  #else(): Node | undefined {
    const otherwise = this.#tokens.takeName("else") ? this.#filters.pipe() : undefined;
    this.#tokens.expectName("end");
    return otherwise;
  }

  #try(): Node {
    if (this.#tokens.peek("-")) throw new OutsideSubset("try of a negation");
    const body = this.#filters.nested(() => this.postfix());
    const handler = this.#tokens.takeName("catch") ? this.#filters.nested(() => this.postfix()) : undefined;
    return { kind: "try", body, handler };
  }

  #fold(kind: "reduce" | "foreach"): Node {
    const source = this.#filters.alternative();
    this.#tokens.expectName("as");
    const pattern = parsePattern(this.#tokens);
    this.#tokens.expect("(");
    const initial = this.#filters.pipe();
    this.#tokens.expect(";");
    const update = this.#filters.pipe();
    const extract = kind === "foreach" && this.#tokens.take(";") ? this.#filters.pipe() : undefined;
    this.#tokens.expect(")");
    return kind === "reduce" ? { kind, source, pattern, initial, update } : { kind, source, pattern, initial, update, extract };
  }

  #fields(): readonly Field[] {
    const fields: Field[] = [];
    while (!this.#tokens.take("}")) {
      fields.push(this.#field());
      if (!this.#tokens.peek("}")) this.#tokens.expect(",");
    }
    return fields;
  }

  #field(): Field {
    const token = this.#tokens.next();
    if (token.kind === "variable") {
      if (token.text === "__loc__" || this.#tokens.peek(":")) throw new OutsideSubset("variable as key");
      return { key: { kind: "literal", value: token.text }, value: { kind: "variable", name: token.text } };
    }
    if (token.kind === "operator" && token.text === "(") {
      const key = this.#until(")");
      this.#tokens.expect(":");
      return { key, value: this.#fieldValue() };
    }
    if (token.kind !== "name" && token.kind !== "string") throw new OutsideSubset(`unexpected ${token.kind} as key`);
    const key: Node = token.kind === "name" ? { kind: "literal", value: token.text } : this.#text(token);
    if (this.#tokens.take(":")) return { key, value: this.#fieldValue() };
    return { key, value: { kind: "index", target: IDENTITY, key, optional: false } };
  }

  /** Any filter without comma and `as` at its top. */
  #fieldValue(): Node {
    const left = this.#filters.alternative();
    return this.#tokens.take("|") ? { kind: "pipe", left, right: this.#filters.nested(() => this.#fieldValue()) } : left;
  }
}
