/**
 * Expressions from their source: compiled to closures if they are in the subset, or else left to the reference implementation.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import { EvaluationPending, type Expression, ExpressionFault, type Scope, type Template } from "../expression.ts";
import { UnknownVariable } from "./bindings.ts";
import { emitting } from "./code.ts";
import { compile, type Program } from "./compiler.ts";
import { programText } from "./enclosure.ts";
import { JqFault } from "./fault.ts";
import { namesIn, refusalOf } from "./forbidden.ts";
import { BudgetSpent, type Environment, Machine } from "./machine.ts";
import { parse } from "./parser.ts";
import { ExpressionRefused } from "./refused.ts";
import { OutsideSubset } from "./syntax.ts";
import { type TemplateMode, templateOf } from "./template.ts";
import { jsonRange } from "./text.ts";

/** What an expression may use. */
export interface ExpressionOptions {
  /** Names of the variables that it may use, without `$`. Default: any. */
  readonly variables?: readonly string[];
}

/**
 * The expression of a source, with or without `${ }` around it. Source that isn't understood here becomes an external expression: whether
 * it is right is for {@link ExternalEvaluator.check} to say.
 *
 * @throws ExpressionRefused it is empty or too long, reads the world or the clock, or uses a variable that doesn't exist.
 */
export function compileExpression(source: string, options: ExpressionOptions = {}): Expression {
  const text = programText(source);
  if (text === "") throw new ExpressionRefused(source, "nothing is written");
  if (Buffer.byteLength(text) > LIMITS.expressionBytes) throw new ExpressionRefused(source, `more than ${LIMITS.expressionBytes} bytes are written`);
  const refusal = refusalOf(text);
  if (refusal !== undefined) throw new ExpressionRefused(text, refusal);
  const program = programOf(text);
  if (program === undefined)
    return externalExpression(
      text,
      namesIn(text).filter((name) => options.variables?.includes(name) ?? true),
    );
  const unknown = program.variables.find((name) => options.variables?.includes(name) === false);
  if (unknown !== undefined) throw new ExpressionRefused(text, `$${unknown} is not defined`);
  return compiledExpression(text, program);
}

/**
 * The template of a value: see template.ts for the modes.
 *
 * @throws ExpressionRefused one of its expressions can't be accepted.
 */
export function compileTemplate(value: Json, mode: TemplateMode, options: ExpressionOptions = {}): Template {
  return templateOf(value, mode, (source) => compileExpression(source, options));
}

function programOf(source: string): Program | undefined {
  try {
    return compile(parse(source));
  } catch (error) {
    if (error instanceof OutsideSubset) return undefined;
    throw error;
  }
}

function compiledExpression(source: string, program: Program): Expression {
  const { code, variables } = program;
  const first = code.kind === "one" ? code.run : firstValue(emitting(code), source);
  return {
    source,
    variables,
    external: false,
    evaluate(scope) {
      const machine = new Machine(scope, variables);
      const env: Environment = { machine, value: null, parent: undefined };
      try {
        const value = first(env, scope.data);
        return typeof value === "object" && value !== null && value !== scope.data ? jsonRange(machine, value) : finite(value);
      } catch (error) {
        throw asFault(source, error);
      }
    },
  };
}

function firstValue(run: ReturnType<typeof emitting>, source: string): (env: Environment, input: Json) => Json {
  return (env, input) => {
    let found: Json | undefined;
    run(env, input, (value) => {
      found = value;
      return true;
    });
    if (found === undefined) throw new ExpressionFault(source, "no value");
    return found;
  };
}

function externalExpression(source: string, variables: readonly string[]): Expression {
  return {
    source,
    variables,
    external: true,
    evaluate(scope) {
      const request = { source, data: scope.data, variables: valuesOf(scope, variables) };
      const answer = scope.answer(request);
      if (answer === undefined) throw new EvaluationPending(request);
      if ("fault" in answer) throw new ExpressionFault(source, answer.fault);
      return answer.value;
    },
  };
}

function valuesOf(scope: Scope, names: readonly string[]): Readonly<Record<string, Json>> {
  const known = names.map((name) => [name, scope.variable(name)] as const);
  return Object.fromEntries(known.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined));
}

/** A number within the range of JSON; other values as they are. */
function finite(value: Json): Json {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? null : Math.sign(value) * Number.MAX_VALUE;
}

function asFault(source: string, error: unknown): unknown {
  if (error instanceof JqFault) return new ExpressionFault(source, error.message);
  if (error instanceof BudgetSpent || error instanceof UnknownVariable) return new ExpressionFault(source, error.message);
  if (error instanceof RangeError) return new ExpressionFault(source, "nests too deeply or grows too large");
  return error;
}
