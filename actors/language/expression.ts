/**
 * Runtime expressions as the interpreter sees them. Evaluation is synchronous and pure. An expression outside the compiled subset can't be
 * evaluated in the node's thread: its evaluation throws {@link EvaluationPending} with what is to be computed; the caller has it computed,
 * remembers the answer and evaluates again.
 */
import type { Json } from "../json.ts";

/** What an expression can see. */
export interface Scope {
  /** The value of `.`. */
  readonly data: Json;
  /** The value of `$name`, or undefined if there is no such variable. */
  variable(name: string): Json | undefined;
  /** The remembered answer to an external evaluation, or undefined. */
  answer(request: ExternalRequest): ExternalAnswer | undefined;
}

/** An evaluation by the reference implementation of jq, outside the node's thread. Plain data. */
export interface ExternalRequest {
  readonly source: string;
  readonly data: Json;
  readonly variables: Readonly<Record<string, Json>>;
}

/** What came of it: the first value, or why there is none. */
export type ExternalAnswer = { readonly value: Json } | { readonly fault: string };

/** Computes external evaluations, each within LIMITS.expressionMs; the promise never rejects for what is in the expression. */
export interface ExternalEvaluator {
  evaluate(request: ExternalRequest): Promise<ExternalAnswer>;
  /** Why `source`, which may use `variables` (names without `$`), does not compile, or undefined if it does. */
  check(source: string, variables: readonly string[]): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A compiled expression. */
export interface Expression {
  /** The jq program, without `${` and `}`. */
  readonly source: string;
  /** Names of the variables that it uses, without `$`. */
  readonly variables: readonly string[];
  /** True if it is outside the compiled subset. */
  readonly external: boolean;
  /**
   * The first value.
   *
   * @throws ExpressionFault it failed, gave no value, or took more than LIMITS.expressionSteps.
   * @throws EvaluationPending it is external and the scope has no answer yet.
   */
  evaluate(scope: Scope): Json;
}

/** JSON in which strings may be expressions: `set`, `with`, `from`, `as` ... */
export interface Template {
  /** The value if no part of it is an expression; undefined otherwise. */
  readonly constant: Json | undefined;
  /** All expressions in it. */
  readonly expressions: readonly Expression[];
  /** The value with every expression evaluated. Throws as {@link Expression.evaluate}. */
  evaluate(scope: Scope): Json;
}

/** An expression failed. Shows in a run as an error of type `expression`, status 400. */
export class ExpressionFault extends Error {
  override readonly name = "ExpressionFault";
  readonly source: string;

  constructor(source: string, reason: string) {
    super(`${reason} in expression: ${source}`);
    this.source = source;
  }
}

/** An external evaluation is needed before this one can go on. Not an error: a request to the caller. */
export class EvaluationPending extends Error {
  override readonly name = "EvaluationPending";
  readonly request: ExternalRequest;

  constructor(request: ExternalRequest) {
    super(`awaits the evaluation of: ${request.source}`);
    this.request = request;
  }
}
