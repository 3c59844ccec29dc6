/**
 * The expressions of one document: compiles them, checks at once that they use only variables that exist where they stand, and keeps those
 * outside the compiled subset for a check by the reference implementation at the end.
 */
import type { Json } from "../../json.ts";
import { ConstantTemplate } from "../constant-template.ts";
import type { Expression, ExternalEvaluator, Scope, Template } from "../expression.ts";
import { compileExpression, compileTemplate } from "../jq/compile-expression.ts";
import { ExpressionRefused } from "../jq/refused.ts";
import { pointerTo } from "../pointer.ts";
import { closest } from "../suggest.ts";
import { UNSUPPORTED_VARIABLES } from "../variables.ts";
import type { Violations } from "../violations.ts";

/** How strings of templates are read: only `${ }` is an expression, or everything is tried as one. */
export type EvaluationMode = "strict" | "loose";

/** Compiles the expressions of one document. */
export class Expressions {
  readonly mode: EvaluationMode;
  readonly #violations: Violations;
  /** By source and variables: the first place of each. */
  readonly #external = new Map<string, { place: () => string; source: string; variables: readonly string[] }>();

  constructor(mode: EvaluationMode, violations: Violations) {
    this.mode = mode;
    this.#violations = violations;
  }

  /** A field that can only hold an expression: with or without `${ }`. */
  expression(value: Json | undefined, pointer: string, variables: readonly string[]): Expression | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string") {
      this.#violations.add(pointer, `must be an expression, as a text.${typeof value === "object" ? "" : ` Quote it: "${value}"`}`);
      return undefined;
    }
    const expression = this.#compiled(pointer, () => compileExpression(value));
    if (expression !== undefined) this.#check(expression, () => pointer, variables);
    return expression;
  }

  /** A field that holds data, in which texts can be expressions. */
  template(value: Json, pointer: string, variables: readonly string[], mode: EvaluationMode = this.mode): Template {
    const template = this.#accepted(value, mode);
    if (template === undefined) {
      this.#refuseEach(value, pointer, mode);
      return new ConstantTemplate(value);
    }
    // in loose mode, what fails as an expression is a text: nothing in it can be wrong
    if (mode === "strict") {
      for (const expression of template.expressions) {
        this.#check(expression, () => placeOf(expression.source, value, pointer) ?? pointer, variables);
      }
    }
    return template;
  }

  /** A field that holds an expression if it is a text, and data in which texts can be expressions otherwise: `from`, `as`, `in`. */
  expressionOrTemplate(value: Json | undefined, pointer: string, variables: readonly string[]): Template | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.template(value, pointer, variables);
    const expression = this.expression(value, pointer, variables);
    return expression === undefined ? undefined : new Single(expression);
  }

  /** Has the external expressions checked by the reference implementation. */
  async checkExternal(evaluator: ExternalEvaluator): Promise<void> {
    for (const { place, source, variables } of this.#external.values()) {
      if (this.#violations.full) return;
      const fault = await evaluator.check(source, variables);
      if (fault !== undefined) this.#violations.add(place(), `the expression ${shown(source)} does not compile: ${fault}`);
    }
  }

  /** `place` gives the pointer of the expression: looking for it is worth while only if there is something to say about it. */
  #check(expression: Expression, place: () => string, variables: readonly string[]): void {
    const { source, external } = expression;
    if (this.#violations.full) return;
    const missing = expression.variables.filter((name) => !variables.includes(name));
    const refused = external ? missing.filter((name) => UNSUPPORTED_VARIABLES.includes(name)) : missing;
    for (const name of refused) this.#violations.add(place(), missingVariable(name, variables));
    if (external && refused.length === 0) {
      const key = JSON.stringify([source, variables]);
      if (!this.#external.has(key)) this.#external.set(key, { place, source, variables });
    }
  }

  #compiled<T>(pointer: string, compile: () => T): T | undefined {
    try {
      return compile();
    } catch (error) {
      if (!(error instanceof ExpressionRefused)) throw error;
      this.#violations.add(pointer, refusal(error));
      return undefined;
    }
  }

  #accepted(value: Json, mode: EvaluationMode): Template | undefined {
    try {
      return compileTemplate(value, mode);
    } catch (error) {
      if (error instanceof ExpressionRefused) return undefined;
      throw error;
    }
  }

  /** Says of every text in a refused template what is wrong with it: the template itself stops at the first. */
  #refuseEach(value: Json, pointer: string, mode: EvaluationMode): void {
    if (this.#violations.full) return;
    if (typeof value === "string") this.#compiled(pointer, () => compileTemplate(value, mode));
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) this.#refuseEach(inner, pointerTo(pointer, name), mode);
  }
}

function refusal({ source, reason }: ExpressionRefused): string {
  if (source.replaceAll(/[\s${}]/g, "") === "") return "the expression is empty: write a jq expression such as .name.";
  return `the expression ${shown(source)} is refused: ${reason}.`;
}

/** Pointer of the first text in `value` that contains the expression. */
function placeOf(source: string, value: Json, pointer: string): string | undefined {
  if (typeof value === "string") return value.includes(source) ? pointer : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const place = placeOf(source, inner, pointerTo(pointer, name));
    if (place !== undefined) return place;
  }
  return undefined;
}

function missingVariable(name: string, variables: readonly string[]): string {
  if (UNSUPPORTED_VARIABLES.includes(name)) return `$${name} is not supported by this version.`;
  const meant = closest(name, variables);
  const known = variables.map((variable) => `$${variable}`).join(", ");
  return `there is no variable $${name} here.${meant === undefined ? "" : ` Did you mean $${meant}?`} Known: ${known}.`;
}

function shown(source: string): string {
  return source.length > 80 ? `${source.slice(0, 80)}...` : source;
}

/** A template that is one expression. */
class Single implements Template {
  readonly constant: Json | undefined = undefined;
  readonly expressions: readonly Expression[];
  readonly #expression: Expression;

  constructor(expression: Expression) {
    this.#expression = expression;
    this.expressions = [expression];
  }

  evaluate(scope: Scope): Json {
    return this.#expression.evaluate(scope);
  }
}
