/**
 * What expressions see: the data, and the variables that the specification gives them at each place of a task's life.
 */
import type { Json, Payload } from "../../json.ts";
import type { ExternalAnswer, ExternalRequest, Scope } from "../../language/expression.ts";
import type { TaskNode } from "../../language/model.ts";
import type { Problem } from "../../language/problem.ts";
import { type Environment, RUNTIME_DESCRIPTOR } from "./environment.ts";
import { contextHolder, type Frame, type RunState } from "./state.ts";

/** The task whose expression is evaluated. */
export interface TaskView {
  readonly node: TaskNode;
  /** The frame whose variables are visible: the task's own once it is there, its parent's before. */
  readonly frame: Frame | undefined;
  readonly raw: Payload;
  readonly input: Payload | undefined;
  readonly output: Payload | undefined;
  readonly startedAtMs: number;
}

/** A scope for one evaluation. */
export class TaskScope implements Scope {
  readonly #state: RunState;
  readonly #environment: Environment;
  readonly #task: TaskView;
  readonly #data: Payload;

  constructor(state: RunState, environment: Environment, task: TaskView, data: Payload) {
    this.#state = state;
    this.#environment = environment;
    this.#task = task;
    this.#data = data;
  }

  get data(): Json {
    return this.#data.value;
  }

  variable(name: string): Json | undefined {
    const task = this.#task;
    switch (name) {
      case "context":
        return contextOf(this.#state, task.frame).value;
      case "input":
        return (task.input ?? task.raw).value;
      case "output":
        return task.output?.value;
      case "task":
        return describeTask(task);
      case "workflow":
        return describeWorkflow(this.#state);
      case "runtime":
        return RUNTIME_DESCRIPTOR;
      default:
        return localVariable(task.frame, name);
    }
  }

  answer(request: ExternalRequest): ExternalAnswer | undefined {
    return this.#environment.answer(request);
  }
}

/** The view of a task that is under way. */
export function viewOf(frame: Frame, output?: Payload): TaskView {
  return { node: frame.node, frame, raw: frame.raw, input: frame.input, output, startedAtMs: frame.startedAtMs };
}

/** The context that a frame sees. */
function contextOf(state: RunState, frame: Frame | undefined): Payload {
  return (frame === undefined ? undefined : contextHolder(frame)?.context) ?? state.context;
}

/** Variables of the enclosing `for` and `try` tasks, innermost first. */
function localVariable(frame: Frame | undefined, name: string): Json | undefined {
  for (let at = frame; at !== undefined; at = at.parent) {
    const { node } = at;
    if (node.kind === "for" && at.items !== undefined) {
      if (name === node.each) return (at.items.value as readonly Json[])[at.cursor] ?? null;
      if (name === node.at) return at.cursor;
    }
    if (node.kind === "try" && name === node.catch.as && at.error !== undefined) return shownProblem(at.error);
  }
  return undefined;
}

/** An error as expressions see it. */
function shownProblem({ data, ...problem }: Problem): Json {
  return data === undefined ? problem : { ...problem, data: JSON.parse(data) as Json };
}

function describeTask(task: TaskView): Json {
  return {
    name: task.node.name,
    reference: task.node.pointer,
    definition: task.node.definition,
    input: task.raw.value,
    output: task.output?.value ?? null,
    startedAt: describeTime(task.startedAtMs),
  };
}

function describeWorkflow(state: RunState): Json {
  return { id: state.runId, definition: state.workflow.definition, input: state.input.value, startedAt: describeTime(state.startedAtMs) };
}

function describeTime(timeMs: number): Json {
  return { iso8601: new Date(timeMs).toISOString(), epoch: { seconds: Math.floor(timeMs / 1000), milliseconds: timeMs } };
}
