/**
 * The parser: tokens to the syntax tree, by precedence climbing. It knows the grammar of the compiled subset only; whatever else it meets
 * is {@link OutsideSubset}, which doesn't mean that it is wrong.
 */
import { type Token, tokensOf } from "./lexer.ts";
import { parsePattern } from "./pattern-parser.ts";
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  type Field,
  type Node,
  type NodeOf,
  OutsideSubset,
  type UpdateOperator,
} from "./syntax.ts";
import { TokenReader } from "./token-reader.ts";

/**
 * The tree of `source`.
 *
 * @throws OutsideSubset it is not in the subset.
 */
export function parse(source: string): Node {
  return new Parser(tokensOf(source), 0).whole();
}

const IDENTITY: Node = { kind: "identity" };
const UPDATES: ReadonlySet<string> = new Set(["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="]);
const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
const RESERVED: ReadonlySet<string> = new Set(
  "then elif else end as catch and or def label break import include module foreach reduce if try __loc__".split(" "),
);

/** Nesting of parentheses, brackets and operators that is parsed here. */
const DEPTH_MAX = 200;

class Parser {
  readonly #tokens: TokenReader;
  #depth: number;

  constructor(tokens: readonly Token[], depth: number) {
    this.#tokens = new TokenReader(tokens);
    this.#depth = depth;
  }

  whole(): Node {
    const node = this.#pipe();
    this.#tokens.expectEnd();
    return node;
  }

  #nested<T>(parseInner: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new OutsideSubset("nests too deeply");
    const result = parseInner();
    this.#depth -= 1;
    return result;
  }

  #pipe(): Node {
    return this.#nested(() => {
      const left = this.#comma();
      return this.#tokens.take("|") ? { kind: "pipe", left, right: this.#pipe() } : left;
    });
  }

  #comma(): Node {
    let left = this.#alternative();
    while (this.#tokens.take(",")) left = { kind: "comma", left, right: this.#alternative() };
    return left;
  }

  #alternative(): Node {
    return this.#nested(() => {
      const left = this.#update();
      return this.#tokens.take("//") ? { kind: "alternative", left, right: this.#alternative() } : left;
    });
  }

  #update(): Node {
    const left = this.#or();
    const operator = this.#tokens.takeAny(UPDATES) as UpdateOperator | undefined;
    if (operator === undefined) return left;
    return { kind: "update", operator, left, right: this.#or() };
  }

  #or(): Node {
    let left = this.#and();
    while (this.#tokens.takeName("or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Node {
    let left = this.#comparison();
    while (this.#tokens.takeName("and")) left = { kind: "and", left, right: this.#comparison() };
    return left;
  }

  #comparison(): Node {
    const left = this.#sum();
    const operator = this.#tokens.takeAny(COMPARISONS) as ComparisonOperator | undefined;
    if (operator === undefined) return left;
    return { kind: "comparison", operator, left, right: this.#sum() };
  }

  #sum(): Node {
    let left = this.#product();
    for (;;) {
      const operator = this.#tokens.takeAny(SUMS) as ArithmeticOperator | undefined;
      if (operator === undefined) return left;
      left = { kind: "arithmetic", operator, left, right: this.#product() };
    }
  }

  #product(): Node {
    let left = this.#unary();
    for (;;) {
      const operator = this.#tokens.takeAny(PRODUCTS) as ArithmeticOperator | undefined;
      if (operator === undefined) return left;
      left = { kind: "arithmetic", operator, left, right: this.#unary() };
    }
  }

  #unary(): Node {
    return this.#nested((): Node => {
      if (this.#tokens.take("-")) return { kind: "negate", operand: this.#unary() };
      const term = this.#postfix();
      if (!this.#tokens.takeName("as")) return term;
      const pattern = parsePattern(this.#tokens);
      this.#tokens.expect("|");
      return { kind: "bind", source: term, pattern, body: this.#pipe() };
    });
  }

  #postfix(): Node {
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
      const to = this.#pipe();
      this.#tokens.expect("]");
      return this.#selected({ kind: "slice", target, from: undefined, to, optional: false });
    }
    const key = this.#pipe();
    if (!this.#tokens.take(":")) {
      this.#tokens.expect("]");
      return this.#selected({ kind: "index", target, key, optional: false });
    }
    const to = this.#tokens.peek("]") ? undefined : this.#pipe();
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
    const inner = this.#pipe();
    this.#tokens.expect(close);
    return inner;
  }

  #text(token: Token): Node {
    const parts = token.parts.map((part) => (typeof part === "string" ? part : new Parser(part, this.#depth).whole()));
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
      do args.push(this.#pipe());
      while (this.#tokens.take(";"));
      this.#tokens.expect(")");
    }
    return { kind: "call", name, args };
  }

  #if(): Node {
    const condition = this.#pipe();
    this.#tokens.expectName("then");
    const then = this.#pipe();
    const otherwise = this.#tokens.takeName("elif") ? this.#nested(() => this.#if()) : this.#else();
    return { kind: "if", condition, then, otherwise };
  }

  #else(): Node | undefined {
    const otherwise = this.#tokens.takeName("else") ? this.#pipe() : undefined;
    this.#tokens.expectName("end");
    return otherwise;
  }

  #try(): Node {
    if (this.#tokens.peek("-")) throw new OutsideSubset("try of a negation");
    const body = this.#postfix();
    const handler = this.#tokens.takeName("catch") ? this.#nested(() => this.#postfix()) : undefined;
    return { kind: "try", body, handler };
  }

  #fold(kind: "reduce" | "foreach"): Node {
    const source = this.#postfix();
    this.#tokens.expectName("as");
    const pattern = parsePattern(this.#tokens);
    this.#tokens.expect("(");
    const initial = this.#pipe();
    this.#tokens.expect(";");
    const update = this.#pipe();
    const extract = kind === "foreach" && this.#tokens.take(";") ? this.#pipe() : undefined;
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
    const left = this.#alternative();
    if (left.kind === "bind") throw new OutsideSubset("binding as a field's value");
    return this.#tokens.take("|") ? { kind: "pipe", left, right: this.#fieldValue() } : left;
  }
}

const SUMS: ReadonlySet<string> = new Set(["+", "-"]);
const PRODUCTS: ReadonlySet<string> = new Set(["*", "/", "%"]);
