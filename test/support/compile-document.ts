/** Compiling documents in tests: with an evaluator that finds every expression right, and a plain view of what came out. */
import assert from "node:assert/strict";
import type { Json } from "../../actors/json.ts";
import { type CompileContext, compileWorkflow } from "../../actors/language/compile-workflow.ts";
import type { ExternalEvaluator } from "../../actors/language/expression.ts";
import type { TaskNode, Workflow } from "../../actors/language/model.ts";
import { MaestroError } from "../../runtime/errors.ts";

/** Finds nothing wrong and evaluates nothing. */
const TRUSTING_EVALUATOR: ExternalEvaluator = {
  evaluate: async () => ({ fault: "not evaluated in this test" }),
  check: async () => undefined,
  close: async () => undefined,
};

/** Head of a document, on one line: a body appended to it begins on line 2. */
export const HEAD = 'document: { dsl: "1.0.3", namespace: test, name: sample, version: "1.0.0" }\n';

/** A document with one task, called `t`: its name stands on line 3, its definition begins on line 4, column 7. */
export function taskText(...lines: readonly string[]): string {
  return [`${HEAD}do:`, "  - t:", ...lines.map((line) => `      ${line}`), ""].join("\n");
}

/** Compiles, with the handlers `charge`, `refund` and `ship` and the shell allowed. */
export function compileText(text: string, context: Partial<CompileContext> = {}): Promise<Workflow> {
  return compileWorkflow(text, { evaluator: TRUSTING_EVALUATOR, handlers: new Set(["charge", "refund", "ship"]), allowShell: true, ...context });
}

/** What is wrong with a document: `field: description` each. Fails if nothing is. */
export async function violationsOf(text: string, context: Partial<CompileContext> = {}): Promise<readonly string[]> {
  const error = await compileText(text, context).then(
    () => assert.fail("the document compiled"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MaestroError, String(error));
  assert.equal(error.code, "DOCUMENT_INVALID");
  return error.violations.map(({ field, description }) => `${field}: ${description}`);
}

/** A part of a compiled workflow as plain data: templates as their constant or their expressions, what is absent left out. */
export function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value as Json;
  if ("expressions" in value && "constant" in value)
    return templateOf(value as { constant: Json | undefined; expressions: readonly { source: string }[] });
  if ("source" in value && "external" in value) return `\${${String(value.source)}}`;
  if ("check" in value) return "a schema";
  const entries = Object.entries(value).filter(([name, field]) => name !== "definition" && field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)] as const).filter(([, field]) => !isEmpty(field)));
}

/** Number, kind and pointer of every task. */
export function outline(workflow: Workflow): readonly string[] {
  return workflow.nodes.map((node: TaskNode) => `${node.id} ${node.kind} ${node.pointer}`);
}

function templateOf(template: { constant: Json | undefined; expressions: readonly { source: string }[] }): Json {
  return template.constant ?? template.expressions.map(({ source }) => `\${${source}}`);
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
