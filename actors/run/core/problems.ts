/**
 * Errors of runs, made from what went wrong: expressions, schemas, attempts and time limits as RFC 7807 problems of the specification's types.
 */
import type { AttemptError } from "../../../runtime/workers/pool.ts";
import { DurationFault } from "../../language/duration.ts";
import { ExpressionFault } from "../../language/expression.ts";
import { type Problem, problemType, standardProblem } from "../../language/problem.ts";

/** Data that does not match a schema, or that has the wrong shape. Caught by the step that it happens in. */
export class DataFault extends Error {
  override readonly name = "DataFault";
}

/** The problem for a fault in the document's own logic, or undefined for any other error. */
export function problemOfFault(error: unknown, instance: string): Problem | undefined {
  if (error instanceof ExpressionFault) return standardProblem("expression", error.message, instance);
  if (error instanceof DataFault || error instanceof DurationFault) return standardProblem("validation", error.message, instance);
  return undefined;
}

/** The problem for an attempt that failed. */
export function problemOfAttempt(error: AttemptError, instance: string): Problem {
  if (error.kind === "unknown") return standardProblem("configuration", error.message, instance);
  if (error.kind === "timedOut")
    return { ...standardProblem("timeout", error.message, instance), title: `Timeout (${error.timeout ?? "startToClose"})` };
  return {
    type: error.type ?? problemType("runtime"),
    status: isProblemStatus(error.status) ? error.status : 500,
    title: error.title ?? TITLES[error.kind],
    detail: error.message,
    instance,
    ...(error.details !== undefined && { data: error.details }),
  };
}

/** The problem for an attempt that is given up because nodes were lost while it was executed, with no other suspect beside it in the end. */
export function problemOfNodeLoss(instance: string): Problem {
  const detail = `${instance} was under way at several losses of its node, the last ones while it was executed with no other suspect beside it`;
  return { ...standardProblem("runtime", detail, instance), title: "Task lost with its node" };
}

/** The problem for a task or run that exceeded its `timeout`. */
export function problemOfTimeout(instance: string): Problem {
  return standardProblem("timeout", `${instance} exceeded its timeout`, instance);
}

/** True for what can stand as the status of a problem: a whole number from 100 to 999. Handlers and documents may say anything. */
export function isProblemStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 999;
}

const TITLES = {
  thrown: "Task failed",
  refused: "Task failed",
  result: "Task result refused",
  crashed: "Task crashed its worker",
  lost: "Task lost its worker",
} as const;
