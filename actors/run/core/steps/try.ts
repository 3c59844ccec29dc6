/**
 * `try`: runs its body, and decides what becomes of the body's errors: retried, caught, or passed on.
 */
import type { Json } from "../../../json.ts";
import type { CatchClause, RetryRule, TryNode } from "../../../language/model.ts";
import { matchesFilter, type Problem } from "../../../language/problem.ts";
import { evaluate, isTruthy } from "../data-flow.ts";
import { problemToWire, type RunEvent, TimerKind } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { cancelledChildren, completed, durationOf, faulted, offsetOf, timerSet } from "../facts.ts";
import { backoffDelay, RETRY_DELAY_MAX_MS } from "../retry-policy.ts";
import { TaskScope, viewOf } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";
import { passFault } from "./composite.ts";
import { started } from "./start.ts";

/** Starts the body, or after an error was caught the catch's body. */
export function nextInTry(state: RunState, environment: Environment, frame: Frame, node: TryNode): RunEvent[] {
  if (!frame.caught) return started(state, environment, frame, node.body);
  return node.catch.body === undefined ? [completed(state, environment, frame, undefined)] : started(state, environment, frame, node.catch.body);
}

/** An error of the body, or of the catch's body, reached the task. */
export function faultInTry(state: RunState, environment: Environment, frame: Frame, node: TryNode): RunEvent[] {
  const { error } = frame;
  if (error === undefined || frame.caught || !catches(state, environment, frame, node.catch, error)) return passFault(frame);
  const delayMs = node.catch.retry === undefined ? undefined : retryAfter(state, environment, frame, node.catch.retry);
  const rest = cancelledChildren(frame);
  if (delayMs === undefined) {
    if (node.catch.retry !== undefined && node.catch.body === undefined) return [...rest, faulted(frame.id, error)];
    return [...rest, { $case: "errorCaught", value: { frame: frame.id, error: problemToWire(error) } }];
  }
  const dueAtMs = environment.nowMs + delayMs;
  const retryOffsetMs = delayMs > 0 ? offsetOf(state, dueAtMs) : undefined;
  const retried: RunEvent = {
    $case: "tryRetried",
    value: { frame: frame.id, attempt: frame.attempt + 1, error: problemToWire(error), retryOffsetMs },
  };
  return delayMs > 0 ? [...rest, retried, timerSet(state, frame.id, TimerKind.RETRY, dueAtMs)] : [...rest, retried];
}

function catches(state: RunState, environment: Environment, frame: Frame, clause: CatchClause, error: Problem): boolean {
  const view = viewOf(frame);
  if (clause.with !== undefined && !matchesFilter(evaluate(clause.with, state, environment, view, frame.input).value, error)) return false;
  return holds(state, environment, frame, clause.when, clause.exceptWhen);
}

/** The error is visible as the catch's variable, and the data is the task's input. */
function holds(state: RunState, environment: Environment, frame: Frame, when: CatchClause["when"], exceptWhen: CatchClause["exceptWhen"]): boolean {
  const scope = new TaskScope(state, environment, viewOf(frame), frame.input);
  const value = (expression: CatchClause["when"], otherwise: Json): Json => (expression === undefined ? otherwise : expression.evaluate(scope));
  return isTruthy(value(when, true)) && !isTruthy(value(exceptWhen, false));
}

/** Delay before the body runs again, in milliseconds; undefined: it does not. */
function retryAfter(state: RunState, environment: Environment, frame: Frame, rule: RetryRule): number | undefined {
  const retries = frame.attempt;
  if (rule.attempts !== undefined && retries >= rule.attempts) return undefined;
  if (!holds(state, environment, frame, rule.when, rule.exceptWhen)) return undefined;
  const view = viewOf(frame);
  const baseMs = rule.delay === undefined ? 0 : durationOf(rule.delay, state, environment, view);
  const delayMs = Math.min(backoffDelay(baseMs, rule.backoff, retries + 1), RETRY_DELAY_MAX_MS) + jitterOf(state, environment, frame, rule);
  if (rule.duration === undefined) return delayMs;
  const endMs = (frame.firstErrorAtMs ?? environment.nowMs) + durationOf(rule.duration, state, environment, view);
  return environment.nowMs + delayMs > endMs ? undefined : delayMs;
}

function jitterOf(state: RunState, environment: Environment, frame: Frame, rule: RetryRule): number {
  if (rule.jitter === undefined) return 0;
  const fromMs = durationOf(rule.jitter.from, state, environment, viewOf(frame));
  const toMs = durationOf(rule.jitter.to, state, environment, viewOf(frame));
  return fromMs + Math.max(0, toMs - fromMs) * environment.random.fraction();
}
