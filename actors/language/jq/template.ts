/**
 * Templates: JSON in which strings may be expressions. What holds no expression is kept as it is and given back without a copy.
 */
import type { Json } from "../../json.ts";
import { type Expression, ExpressionFault, type Scope, type Template } from "../expression.ts";
import { type MutableObject, put } from "./access.ts";
import { isEnclosed } from "./enclosure.ts";
import { ExpressionRefused } from "./refused.ts";

/**
 * How strings are read. `strict`: a string that as a whole is `${ … }` is an expression. `loose`: so is a string that begins like a path or a
 * variable and is an expression of the compiled subset; where that fails, the string stands for itself.
 */
export type TemplateMode = "strict" | "loose";

/** `.a`, `.[0]`, `.`, `$input`: how a path or a variable begins. */
const LIKE_AN_EXPRESSION = /^\s*(?:\.(?:\s*$|[a-zA-Z_"[])|\$[a-zA-Z_])/;

type Part = { readonly constant: Json } | { readonly evaluate: (scope: Scope) => Json };

/** The template of a value. `compile` makes an expression of its source, and throws if it can't be accepted. */
export function templateOf(value: Json, mode: TemplateMode, compile: (source: string) => Expression): Template {
  const compiler = new TemplateCompiler(mode, compile);
  const part = compiler.part(value);
  const { expressions } = compiler;
  if ("constant" in part) return { constant: part.constant, expressions, evaluate: () => part.constant };
  return { constant: undefined, expressions, evaluate: part.evaluate };
}

class TemplateCompiler {
  readonly expressions: Expression[] = [];
  readonly #mode: TemplateMode;
  readonly #compile: (source: string) => Expression;

  constructor(mode: TemplateMode, compile: (source: string) => Expression) {
    this.#mode = mode;
    this.#compile = compile;
  }

  part(value: Json): Part {
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) return { constant: value };
    return Array.isArray(value) ? this.#array(value) : this.#object(value as { readonly [key: string]: Json });
  }

  #text(value: string): Part {
    if (!isEnclosed(value)) return this.#mode === "loose" ? this.#bareText(value) : { constant: value };
    const expression = this.#compile(value);
    this.expressions.push(expression);
    return expression;
  }

  #bareText(value: string): Part {
    const expression = LIKE_AN_EXPRESSION.test(value) ? this.#tried(value) : undefined;
    if (expression === undefined) return { constant: value };
    this.expressions.push(expression);
    return {
      evaluate(scope) {
        try {
          return expression.evaluate(scope);
        } catch (error) {
          if (error instanceof ExpressionFault) return value;
          throw error;
        }
      },
    };
  }

  #tried(source: string): Expression | undefined {
    try {
      const expression = this.#compile(source);
      return expression.external ? undefined : expression;
    } catch (error) {
      if (error instanceof ExpressionRefused) return undefined;
      throw error;
    }
  }

  #array(value: readonly Json[]): Part {
    const parts = value.map((item) => this.part(item));
    if (parts.every((part) => "constant" in part)) return { constant: value };
    return { evaluate: (scope) => parts.map((part) => ("constant" in part ? part.constant : part.evaluate(scope))) };
  }

  #object(value: { readonly [key: string]: Json }): Part {
    const parts = Object.entries(value).map(([key, inner]) => [key, this.part(inner)] as const);
    if (parts.every(([, part]) => "constant" in part)) return { constant: value };
    return {
      evaluate(scope) {
        const object: MutableObject = {};
        for (const [key, part] of parts) put(object, key, "constant" in part ? part.constant : part.evaluate(scope));
        return object;
      },
    };
  }
}
