/**
 * The parser: tokens to the syntax tree, by precedence climbing. It knows the grammar of the compiled subset only; whatever else it meets
 * is {@link OutsideSubset}, which doesn't mean that it is wrong.
 */
import { type Token, tokensOf } from "./lexer.ts";
import { parsePattern } from "./pattern-parser.ts";
import { type ArithmeticOperator, type ComparisonOperator, type Node, OutsideSubset, type UpdateOperator } from "./syntax.ts";
import { type FilterParser, TermParser } from "./term-parser.ts";
import { TokenReader } from "./token-reader.ts";
import { isDeeper } from "./tree-depth.ts";

/**
 * The tree of `source`.
 *
 * @throws OutsideSubset it is not in the subset, or nests too deeply for it.
 */
export function parse(source: string): Node {
  const tree = new Parser(tokensOf(source), 0).whole();
  if (isDeeper(tree, TREE_DEPTH_MAX)) throw new OutsideSubset("nests too deeply");
  return tree;
}

const UPDATES: ReadonlySet<string> = new Set(["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="]);
const SUMS: ReadonlySet<string> = new Set(["+", "-"]);
const PRODUCTS: ReadonlySet<string> = new Set(["*", "/", "%"]);
const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
/** Nesting of parentheses, brackets and operators that is parsed here. */
const DEPTH_MAX = 200;
/** Nodes above one another in a tree that is compiled here: chains of operators and suffixes nest to the left. */
const TREE_DEPTH_MAX = 400;

class Parser implements FilterParser {
  readonly #tokens: TokenReader;
  readonly #terms: TermParser;
  #depth: number;

  constructor(tokens: readonly Token[], depth: number) {
    this.#tokens = new TokenReader(tokens);
    this.#terms = new TermParser(this.#tokens, this);
    this.#depth = depth;
  }

  whole(): Node {
    const node = this.pipe();
    this.#tokens.expectEnd();
    return node;
  }

  interpolation(tokens: readonly Token[]): Node {
    return new Parser(tokens, this.#depth).whole();
  }

  nested<T>(parseInner: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new OutsideSubset("nests too deeply");
    const result = parseInner();
    this.#depth -= 1;
    return result;
  }

  pipe(): Node {
    return this.nested(() => {
      const left = this.#comma();
      return this.#tokens.take("|") ? { kind: "pipe", left, right: this.pipe() } : left;
    });
  }

  #comma(): Node {
    let left = this.#binding();
    while (this.#tokens.take(",")) left = { kind: "comma", left, right: this.#binding() };
    return left;
  }

  /** `source as pattern | body`: the source reaches back to a comma or a pipe, the body to the end. */
  #binding(): Node {
    const source = this.alternative();
    if (!this.#tokens.takeName("as")) return source;
    const pattern = parsePattern(this.#tokens);
    this.#tokens.expect("|");
    return { kind: "bind", source, pattern, body: this.pipe() };
  }

  alternative(): Node {
    return this.nested(() => {
      const left = this.#update();
      return this.#tokens.take("//") ? { kind: "alternative", left, right: this.alternative() } : left;
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
    return this.nested((): Node => (this.#tokens.take("-") ? { kind: "negate", operand: this.#unary() } : this.#terms.postfix()));
  }
}
