/**
 * From the text of a workflow document to the compiled workflow. Finds everything that is wrong with the document at once; what the
 * specification has and this version has not is refused by its path, never ignored.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../json.ts";
import { type Capabilities, Compilation } from "./compile/compilation.ts";
import { compileInput, compileOutput, compileTimeout, compileTimeoutDefinition } from "./compile/data-flow.ts";
import { Expressions } from "./compile/expressions.ts";
import { compileHeader } from "./compile/header.ts";
import { compileRetryDefinition } from "./compile/retry-rule.ts";
import { Reusable } from "./compile/reusable.ts";
import { compileError } from "./compile/simple.ts";
import { TaskCompiler } from "./compile/task.ts";
import type { ExternalEvaluator } from "./expression.ts";
import { Fields } from "./fields.ts";
import type { DoNode, TaskNode, Workflow } from "./model.ts";
import type { LargeDocuments, SourceDocument } from "./source-document.ts";
import { AT_WORKFLOW_INPUT, AT_WORKFLOW_OUTPUT, Variables } from "./variables.ts";
import { Violations } from "./violations.ts";
import { parseYamlDocument } from "./yaml-document.ts";

/** What a document is compiled with. For a stored document, which was checked when it was deployed: no handlers, and the shell allowed. */
export interface CompileContext extends Capabilities {
  /** Checks expressions outside the compiled subset. */
  readonly evaluator: ExternalEvaluator;
  /** Reads large documents without blocking. Without it they are read at once. */
  readonly largeDocuments?: LargeDocuments;
}

/** Compiles a document in YAML or JSON. @throws MaestroError DOCUMENT_INVALID with all violations, LIMITS.documentViolations at most. */
export async function compileWorkflow(text: string, context: CompileContext): Promise<Workflow> {
  const source = await readDocument(text, context.largeDocuments);
  const violations = new Violations();
  const { workflow, expressions } = compileDocument(source.value, violations, context);
  await expressions.checkExternal(context.evaluator);
  await violations.place(source.positions);
  violations.throwIfAny();
  return workflow;
}

/** A large document is read elsewhere, where that is possible; reading takes most of the time. */
async function readDocument(text: string, largeDocuments: LargeDocuments | undefined): Promise<SourceDocument> {
  if (largeDocuments !== undefined && text.length > LIMITS.inlineDocumentLength && text.length <= LIMITS.documentBytes)
    return largeDocuments.read(text);
  const { value, position } = parseYamlDocument(text);
  return { value, positions: async (pointers) => pointers.map(position) };
}

function compileDocument(definition: Json, violations: Violations, capabilities: Capabilities): { workflow: Workflow; expressions: Expressions } {
  if (definition === null) violations.add("", "the document is empty: it must have the fields document and do.");
  const fields = Fields.of(definition ?? undefined, "", violations);
  const header = compileHeader(fields.requiredMapping("document"), violations);
  const expressions = new Expressions(evaluationMode(fields), violations);
  const reusable = new Reusable(fields.mapping("use"), violations);
  const compilation = new Compilation(violations, expressions, reusable, capabilities);
  const input = compileInput(fields, AT_WORKFLOW_INPUT, compilation);
  const timeout = compileTimeout(fields, AT_WORKFLOW_INPUT, compilation);
  const root = new TaskCompiler(compilation).body("do", fields.requiredJson("do"), "/do", new Variables());
  const output = compileOutput(fields, "output", AT_WORKFLOW_OUTPUT, compilation);
  compileUnused(compilation);
  fields.unsupported("schedule");
  fields.close();
  const nodes = byNumber(root);
  const workflow = { ...header, definition, input, output, timeout, root, nodes, handlers: [...compilation.handlers].sort() };
  return { workflow, expressions };
}

function evaluationMode(fields: Fields): "strict" | "loose" {
  const evaluate = fields.mapping("evaluate");
  evaluate?.oneOf("language", ["jq"]);
  const mode = evaluate?.oneOf("mode", ["strict", "loose"]);
  evaluate?.close();
  return mode ?? "strict";
}

/** Reusable parts that nothing uses must be right too. */
function compileUnused(compilation: Compilation): void {
  const { reusable } = compilation;
  const variables = new Variables(["error"]);
  for (const part of reusable.unused("retries")) compileRetryDefinition(part, variables, compilation);
  for (const part of reusable.unused("timeouts")) compileTimeoutDefinition(part, AT_WORKFLOW_INPUT, compilation);
  for (const part of reusable.unused("errors")) compileError(part, variables.inTask, compilation);
}

/** All tasks, each at the index that is its number. */
function byNumber(root: DoNode): readonly TaskNode[] {
  const nodes: TaskNode[] = [];
  const pending: TaskNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    nodes[node.id] = node;
    pending.push(...innerTasks(node));
  }
  return nodes;
}

function innerTasks(node: TaskNode): readonly TaskNode[] {
  const inner: TaskNode[] = node.compensation === undefined ? [] : [node.compensation];
  if (node.kind === "do") inner.push(...node.tasks);
  if (node.kind === "fork") inner.push(...node.branches);
  if (node.kind === "for" || node.kind === "try") inner.push(node.body);
  if (node.kind === "try" && node.catch.body !== undefined) inner.push(node.catch.body);
  return inner;
}
