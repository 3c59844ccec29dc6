/**
 * What the compilers of one document share: its violations, expressions, schemas and reusable parts, and the numbering of its tasks.
 * Lives as long as the compilation.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Json } from "../../json.ts";
import { SchemaCompiler } from "../ajv-schema.ts";
import type { TaskNames } from "../directive.ts";
import type { Template } from "../expression.ts";
import type { Directive, DoNode, RetryRule, TaskBase, TaskNode } from "../model.ts";
import type { Variables } from "../variables.ts";
import type { Violations } from "../violations.ts";
import type { Expressions } from "./expressions.ts";
import { CompiledParts, type Reusable } from "./reusable.ts";

/** What the node that compiles can do. */
export interface Capabilities {
  /** Names of the registered handlers, or undefined for a stored document, of which they are not checked any more. */
  readonly handlers: ReadonlySet<string> | undefined;
  /** True if `run: shell` is allowed. */
  readonly allowShell: boolean;
}

/** One task, or the body of one, as it is being compiled: everything but what its kind adds. */
export interface TaskSite {
  readonly base: TaskBase;
  readonly variables: Variables;
  /** Where its `then` can go: the tasks of its list. None for the branches of a fork, which can't go to each other. */
  readonly names: TaskNames;
}

/** Compiles lists of tasks: given to the compilers of the kinds that contain tasks. */
export interface ListCompiler {
  /** Tasks of a `do` task, or of the root. `pointer` is that of the list. */
  tasks(value: Json | undefined, pointer: string, variables: Variables): readonly TaskNode[];
  /** Branches of a fork. */
  branches(value: Json | undefined, pointer: string, variables: Variables): readonly TaskNode[];
  /** A body: a list of tasks that is a `do` of its own, named by its field. */
  body(name: string, value: Json | undefined, pointer: string, variables: Variables): DoNode;
}

/** One compilation. */
export class Compilation {
  readonly violations: Violations;
  readonly expressions: Expressions;
  readonly reusable: Reusable;
  readonly capabilities: Capabilities;
  readonly schemas = new SchemaCompiler();
  readonly retries = new CompiledParts<RetryRule>();
  readonly timeouts = new CompiledParts<Template>();
  readonly errors = new CompiledParts<Template>();
  /** Handlers that the document calls. */
  readonly handlers = new Set<string>();
  #tasks = 0;

  constructor(violations: Violations, expressions: Expressions, reusable: Reusable, capabilities: Capabilities) {
    this.violations = violations;
    this.expressions = expressions;
    this.reusable = reusable;
    this.capabilities = capabilities;
  }

  /** The document is a stored one: it was checked when it was deployed, maybe by an earlier version with fewer rules. */
  get isStored(): boolean {
    return this.capabilities.handlers === undefined;
  }

  /** The number of the next task in document order. To be called for a task before its inner tasks are compiled. */
  number(pointer: string): number {
    if (this.#tasks === LIMITS.documentTasks) {
      this.violations.add(pointer, `the document has more than ${LIMITS.documentTasks} tasks: divide it into several workflows.`);
    }
    this.#tasks += 1;
    return this.#tasks - 1;
  }

  /** True if there are too many tasks or violations: compiling more is of no use. */
  get exhausted(): boolean {
    return this.violations.full || this.#tasks > LIMITS.documentTasks;
  }
}

/** The directive of a task that names none. */
export const CONTINUE: Directive = { kind: "continue" };
