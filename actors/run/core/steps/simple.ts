/**
 * Tasks that end in the step in which they begin (set, switch, raise), and those that then wait for one thing (wait, signal).
 */
import { invariant } from "../../../../runtime/assert.ts";
import { LIMITS } from "../../../../runtime/limits.ts";
import { cutText } from "../../../../runtime/workers/bounded-text.ts";
import { isJsonObject } from "../../../json.ts";
import type { RaiseNode, SetNode, SignalNode, SwitchNode, WaitNode } from "../../../language/model.ts";
import type { Problem } from "../../../language/problem.ts";
import { evaluate, isTruthy } from "../data-flow.ts";
import { type RunEvent, TimerKind } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { completed, durationOf, faulted, timerSet } from "../facts.ts";
import { DataFault, isProblemStatus } from "../problems.ts";
import { TaskScope, viewOf } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";

/** `set` replaces the data. */
export function beginSet(state: RunState, environment: Environment, frame: Frame, node: SetNode): RunEvent[] {
  return [completed(state, environment, frame, evaluate(node.value, state, environment, viewOf(frame), frame.input))];
}

/** `switch` goes to its first case whose condition holds; without one it goes on as its `then` says. */
export function beginSwitch(state: RunState, environment: Environment, frame: Frame, node: SwitchNode): RunEvent[] {
  const scope = new TaskScope(state, environment, viewOf(frame), frame.input);
  const conditional = node.cases.findIndex((option) => option.when !== undefined && isTruthy(option.when.evaluate(scope)));
  const matched = conditional >= 0 ? conditional : node.cases.findIndex((option) => option.when === undefined);
  return [completed(state, environment, frame, undefined, { matchedCase: matched + 1 })];
}

/** `raise` ends the task in the error that it describes. */
export function beginRaise(state: RunState, environment: Environment, frame: Frame, node: RaiseNode): RunEvent[] {
  const { value } = evaluate(node.error, state, environment, viewOf(frame), frame.input);
  if (!isJsonObject(value) || typeof value.type !== "string" || !isProblemStatus(value.status)) {
    throw new DataFault("an error needs a type (text) and a status (a whole number from 100 to 999)");
  }
  const text = (name: string, limitBytes: number = LIMITS.logLineBytes): string | undefined =>
    typeof value[name] === "string" ? cutText(value[name], limitBytes) : undefined;
  const title = text("title");
  const detail = text("detail", LIMITS.errorTextBytes);
  const error: Problem = {
    type: cutText(value.type, LIMITS.logLineBytes),
    status: value.status,
    instance: text("instance") ?? node.pointer,
    ...(title !== undefined && { title }),
    ...(detail !== undefined && { detail }),
  };
  return [faulted(frame.id, error)];
}

/** `wait` sets a timer, also for no time at all. */
export function beginWait(state: RunState, environment: Environment, frame: Frame, node: WaitNode, timersBefore: number): RunEvent[] {
  const dueAtMs = environment.nowMs + durationOf(node.duration, state, environment, viewOf(frame));
  return [timerSet(state, frame.id, TimerKind.WAIT, dueAtMs, timersBefore + 1)];
}

/** A task that waits for a signal says which. */
export function beginSignal(state: RunState, environment: Environment, frame: Frame, node: SignalNode): RunEvent[] {
  const name = evaluate(node.signal, state, environment, viewOf(frame), frame.input).value;
  if (typeof name !== "string" || name === "" || !name.isWellFormed()) throw new DataFault("the name of a signal must be a text that is not empty");
  return [{ $case: "signalAwaited", value: { frame: frame.id, name } }];
}

/** The signal is there: its payload is the raw output. */
export function consumeSignal(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  invariant(frame.signal !== undefined, `frame ${frame.id} has a signal to consume`);
  return [completed(state, environment, frame, frame.signal, { consumedSignal: true })];
}
