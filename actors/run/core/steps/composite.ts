/**
 * Tasks that contain tasks: do, for, fork.
 */
import type { Json } from "../../../json.ts";
import type { DoNode, ForkNode, ForNode } from "../../../language/model.ts";
import { evaluate, isTruthy } from "../data-flow.ts";
import type { RunEvent } from "../entry.ts";
import type { Environment } from "../environment.ts";
import { cancelledChildren, completed, faulted } from "../facts.ts";
import { DataFault } from "../problems.ts";
import { TaskScope, viewOf } from "../scope.ts";
import type { Frame, RunState } from "../state.ts";
import { started } from "./start.ts";

/** `do` starts the task at its cursor, or completes. */
export function nextInDo(state: RunState, environment: Environment, frame: Frame, node: DoNode): RunEvent[] {
  const child = node.tasks[frame.cursor];
  return child === undefined ? [completed(state, environment, frame, undefined)] : started(state, environment, frame, child);
}

/** `for` finds out what it walks through. */
export function beginFor(state: RunState, environment: Environment, frame: Frame, node: ForNode): RunEvent[] {
  const items = evaluate(node.in, state, environment, viewOf(frame), frame.input);
  if (!Array.isArray(items.value)) throw new DataFault("`for.in` must give an array");
  return [{ $case: "loopStarted", value: { frame: frame.id, items: items.text } }];
}

/** `for` starts its body for the item at its cursor, or completes. */
export function nextInFor(state: RunState, environment: Environment, frame: Frame, node: ForNode): RunEvent[] {
  const items = (frame.items?.value ?? []) as readonly Json[];
  const goesOn =
    frame.cursor < items.length &&
    (node.while === undefined || isTruthy(node.while.evaluate(new TaskScope(state, environment, viewOf(frame), frame.data))));
  return goesOn ? started(state, environment, frame, node.body) : [completed(state, environment, frame, undefined)];
}

/** `fork` starts its next branch. */
export function nextInFork(state: RunState, environment: Environment, frame: Frame, node: ForkNode): RunEvent[] {
  const branch = node.branches[frame.cursor];
  return branch === undefined ? [] : started(state, environment, frame, branch);
}

/** `fork` has its output: in a race, the losers are abandoned. */
export function finishFork(state: RunState, environment: Environment, frame: Frame): RunEvent[] {
  return [...cancelledChildren(frame), completed(state, environment, frame, undefined)];
}

/** A child ended in an error that nothing here catches: the rest is abandoned, and the error goes up. */
export function passFault(frame: Frame): RunEvent[] {
  return frame.error === undefined ? [] : [...cancelledChildren(frame), faulted(frame.id, frame.error)];
}
