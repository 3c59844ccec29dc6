/**
 * A compiled workflow: what the interpreter executes. Made from a document once per version and shared by all its runs; immutable.
 *
 * The number of a task is its place in document order and is written into journals: the way of numbering must not change. The rule:
 * the root is 0. A task takes the next number before the tasks inside it; then come, in this order, its inner tasks (the tasks of a `do`,
 * the branches of a `fork`, the body of a `for`, the body of a `try` and then that of its `catch`), and last its compensation. A body is a
 * `do` of its own: it takes its number before its tasks, its pointer is that of the field (`/do/0/loop/do`, `/do/0/risky/try`,
 * `/do/0/risky/catch/do`, `/do/0/charge/metadata/compensate`), and its name is the name of that field.
 */
import type { Json } from "../json.ts";
import type { Expression, Template } from "./expression.ts";

/** A compiled document. */
export interface Workflow {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly summary: string;
  /** The document as JSON, for `$workflow.definition`. */
  readonly definition: Json;
  readonly input: DataIn;
  readonly output: DataOut;
  /** Of the whole run. */
  readonly timeout: Template | undefined;
  /** The root: task number 0, pointer `/do`. */
  readonly root: DoNode;
  /** All tasks by number. */
  readonly nodes: readonly TaskNode[];
  /** Names of the handlers that it calls. */
  readonly handlers: readonly string[];
}

/** How a value is checked and transformed on the way in. */
export interface DataIn {
  readonly schema: SchemaCheck | undefined;
  readonly from: Template | undefined;
}

/** How a value is transformed and checked on the way out. */
export interface DataOut {
  readonly as: Template | undefined;
  readonly schema: SchemaCheck | undefined;
}

/** A compiled JSON Schema. */
export interface SchemaCheck {
  /** What is wrong with the value, as sentences that name the JSON pointer; empty if nothing is. */
  check(value: Json): readonly string[];
}

/** Where the flow goes after a task. */
export type Directive =
  | { readonly kind: "continue" }
  /** Leaves the enclosing list of tasks. */
  | { readonly kind: "exit" }
  /** Ends the run. */
  | { readonly kind: "end" }
  /** Goes to the task at this index of the same list. */
  | { readonly kind: "goto"; readonly index: number };

/** What every task has. */
export interface TaskBase {
  /** Number in document order: the root `do` is 0; a task comes before the tasks inside it. */
  readonly id: number;
  readonly name: string;
  /** JSON pointer in the document: `/do/0/build`. */
  readonly pointer: string;
  readonly if: Expression | undefined;
  readonly input: DataIn;
  readonly output: DataOut;
  readonly export: DataOut;
  readonly timeout: Template | undefined;
  readonly then: Directive;
  /**
   * From `metadata.compensate`: tasks that undo this one, run in reverse order of completion when the run fails or is cancelled.
   * Their input is `{ input, output }` of the task.
   */
  readonly compensation: DoNode | undefined;
  /** From `metadata.queue`, `priority` and `concurrency`, of calls and commands alone; undefined if they are absent. */
  readonly scheduling: TaskScheduling | undefined;
  /** The task's definition as JSON, for `$task.definition`. */
  readonly definition: Json;
}

/** Where the attempts of a task wait. What is undefined is left to the handler. */
export interface TaskScheduling {
  readonly queue: string | undefined;
  /** From 1 (first) to 5 (last). */
  readonly priority: number | undefined;
  /** At most `limit` attempts with the same key are under way at a time. The key is a text or a number. */
  readonly concurrency: { readonly key: Template; readonly limit: number } | undefined;
}

/** Tasks in sequence. Also the root, the body of `for`, `try` and `catch`, and of a compensation. */
export interface DoNode extends TaskBase {
  readonly kind: "do";
  readonly tasks: readonly TaskNode[];
}

/** An attempt by the worker pool: a registered handler (`call: NAME@default`), or the built-in `http` (`call: http`) and `shell` (`run: shell`). */
export interface CallNode extends TaskBase {
  readonly kind: "call" | "run";
  readonly handler: string;
  /** What the handler is given. For `call: NAME@default` without `with`: the task's input, and then this is undefined. */
  readonly request: Template | undefined;
}

/** Waits for a signal (`call: signal@default`, `with: { name }`); the output is its payload. */
export interface SignalNode extends TaskBase {
  readonly kind: "signal";
  readonly signal: Template;
}

/** Replaces the data. */
export interface SetNode extends TaskBase {
  readonly kind: "set";
  readonly value: Template;
}

/** Goes to the first case whose condition holds. */
export interface SwitchNode extends TaskBase {
  readonly kind: "switch";
  readonly cases: readonly { readonly name: string; readonly when: Expression | undefined; readonly then: Directive }[];
}

/** Runs its body for each item, one after the other; an iteration's output is the next one's input. */
export interface ForNode extends TaskBase {
  readonly kind: "for";
  /** Variable that holds the item; default `item`. */
  readonly each: string;
  /** Variable that holds the index; default `index`. */
  readonly at: string;
  /** Gives an array. */
  readonly in: Template;
  readonly while: Expression | undefined;
  readonly body: DoNode;
}

/** Runs branches at the same time. */
export interface ForkNode extends TaskBase {
  readonly kind: "fork";
  /** The first branch to complete wins; the others are cancelled. */
  readonly compete: boolean;
  readonly branches: readonly TaskNode[];
}

/** Raises an error. */
export interface RaiseNode extends TaskBase {
  readonly kind: "raise";
  /** Gives `{ type, status, title?, detail?, instance? }`. */
  readonly error: Template;
}

/** Waits for a duration. */
export interface WaitNode extends TaskBase {
  readonly kind: "wait";
  /** Gives a duration: an ISO 8601 text, or an object of days, hours, minutes, seconds, milliseconds. See duration.ts. */
  readonly duration: Template;
}

/** Catches errors of its body. */
export interface TryNode extends TaskBase {
  readonly kind: "try";
  readonly body: DoNode;
  readonly catch: CatchClause;
}

/** What a `try` does about an error. */
export interface CatchClause {
  /** Fields that an error must have to be caught: type, status, instance, title, detail. Undefined: all errors. */
  readonly with: Template | undefined;
  /** Variable that holds the error; default `error`. */
  readonly as: string;
  readonly when: Expression | undefined;
  readonly exceptWhen: Expression | undefined;
  readonly retry: RetryRule | undefined;
  /** What is done when the error is caught and not, or no longer, retried. */
  readonly body: DoNode | undefined;
  readonly then: Directive;
}

/** When and how often a `try` runs its body again. */
export interface RetryRule {
  readonly when: Expression | undefined;
  readonly exceptWhen: Expression | undefined;
  readonly delay: Template | undefined;
  readonly backoff: "constant" | "linear" | "exponential";
  /** Bounds of the random addition to each delay. */
  readonly jitter: { readonly from: Template; readonly to: Template } | undefined;
  /** Retries at most (not counting the first execution). Undefined: no bound by count. */
  readonly attempts: number | undefined;
  /** Longest time from the first error to a retry. */
  readonly duration: Template | undefined;
}

/** Any task. */
export type TaskNode = DoNode | CallNode | SignalNode | SetNode | SwitchNode | ForNode | ForkNode | RaiseNode | WaitNode | TryNode;
