/**
 * How data enters and leaves a task: `input.schema`, `input.from`, then the work, then `output.as`, `output.schema`, `export.as`,
 * `export.schema`. What does not change is not written: these functions answer undefined for "the same".
 */
import { type Json, Payload } from "../../json.ts";
import type { Template } from "../../language/expression.ts";
import type { DataIn, DataOut, SchemaCheck, TaskNode } from "../../language/model.ts";
import type { Environment } from "./environment.ts";
import { DataFault } from "./problems.ts";
import { TaskScope, type TaskView } from "./scope.ts";
import type { RunState } from "./state.ts";

/** The input after `input.from`, or undefined if it is the raw input. @throws DataFault, ExpressionFault, EvaluationPending */
export function transformIn(state: RunState, environment: Environment, view: TaskView, flow: DataIn): Payload | undefined {
  if (flow.schema !== undefined) check(flow.schema, view.raw.value, "input");
  if (flow.from === undefined) return undefined;
  return evaluate(flow.from, state, environment, view, view.raw);
}

/** The output after `output.as`, or undefined if it is the raw output. @throws DataFault, ExpressionFault, EvaluationPending */
export function transformOut(state: RunState, environment: Environment, view: TaskView, flow: DataOut, raw: Payload): Payload | undefined {
  const output = flow.as === undefined ? undefined : evaluate(flow.as, state, environment, { ...view, output: raw }, raw);
  if (flow.schema !== undefined) check(flow.schema, (output ?? raw).value, "output");
  return output;
}

/** The new context after `export.as`, or undefined if it does not change. @throws DataFault, ExpressionFault, EvaluationPending */
export function exportTo(state: RunState, environment: Environment, view: TaskView, node: TaskNode, output: Payload): Payload | undefined {
  const flow = node.export;
  if (flow.as === undefined) return undefined;
  const context = evaluate(flow.as, state, environment, { ...view, output }, output);
  if (flow.schema !== undefined) check(flow.schema, context.value, "exported context");
  return context;
}

/** The value of a template over some data. @throws ExpressionFault, EvaluationPending */
export function evaluate(template: Template, state: RunState, environment: Environment, view: TaskView, data: Payload): Payload {
  return Payload.of(template.constant ?? template.evaluate(new TaskScope(state, environment, view, data)));
}

/** True unless jq counts the value as false. */
export function isTruthy(value: Json): boolean {
  return value !== null && value !== false;
}

/** True if a task's result goes through an expression or a schema before it is its output. */
export function hasOutputFlow(node: TaskNode): boolean {
  return node.output.as !== undefined || node.output.schema !== undefined || node.export.as !== undefined;
}

function check(schema: SchemaCheck, value: Json, what: string): void {
  const faults = schema.check(value);
  if (faults.length > 0) throw new DataFault(`the ${what} does not match its schema: ${faults.slice(0, 5).join("; ")}`);
}
