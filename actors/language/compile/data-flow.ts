/** The parts of a task, or of the workflow, that are about data and time: `input`, `output`, `export`, `timeout`, durations. */
import { messageOf } from "../../../runtime/errors.ts";
import type { Json } from "../../json.ts";
import { ConstantTemplate } from "../constant-template.ts";
import { parseDuration } from "../duration.ts";
import type { Template } from "../expression.ts";
import { Fields } from "../fields.ts";
import type { DataIn, DataOut, SchemaCheck } from "../model.ts";
import type { Compilation } from "./compilation.ts";
import type { Placed } from "./reusable.ts";

/** `input`, if present. */
export function compileInput(owner: Fields, variables: readonly string[], compilation: Compilation): DataIn {
  const input = owner.mapping("input");
  if (input === undefined) return { schema: undefined, from: undefined };
  const schema = compileSchema(input, compilation);
  const from = compilation.expressions.expressionOrTemplate(input.json("from"), input.at("from"), variables);
  input.close();
  return { schema, from };
}

/** `output` or `export`, if present. */
export function compileOutput(owner: Fields, name: "output" | "export", variables: readonly string[], compilation: Compilation): DataOut {
  const output = owner.mapping(name);
  if (output === undefined) return { as: undefined, schema: undefined };
  const schema = compileSchema(output, compilation);
  const as = compilation.expressions.expressionOrTemplate(output.json("as"), output.at("as"), variables);
  output.close();
  return { as, schema };
}

/** `timeout`, inline or by name, if present. */
export function compileTimeout(owner: Fields, variables: readonly string[], compilation: Compilation): Template | undefined {
  const value = owner.json("timeout");
  const placed = value === undefined ? undefined : compilation.reusable.resolve("timeouts", value, owner.at("timeout"));
  if (placed === undefined) return undefined;
  return compilation.timeouts.get(placed, variables, (part) => compileTimeoutDefinition(part, variables, compilation));
}

/** The definition of a timeout: `{ after }`. */
export function compileTimeoutDefinition({ value, pointer }: Placed, variables: readonly string[], compilation: Compilation): Template {
  const timeout = Fields.of(value, pointer, compilation.violations);
  const after = compileDuration(timeout.requiredJson("after"), timeout.at("after"), variables, compilation);
  timeout.close();
  return after ?? new ConstantTemplate(null);
}

/** A duration: checked at once if it is constant. */
export function compileDuration(
  value: Json | undefined,
  pointer: string,
  variables: readonly string[],
  compilation: Compilation,
): Template | undefined {
  if (value === undefined) return undefined;
  // a duration such as PT5S must not be tried as an expression, even in loose mode
  const template = compilation.expressions.template(value, pointer, variables, "strict");
  if (template.constant === undefined) return template;
  try {
    parseDuration(template.constant);
  } catch (error) {
    compilation.violations.add(pointer, `${messageOf(error)}.`);
  }
  return template;
}

function compileSchema(owner: Fields, compilation: Compilation): SchemaCheck | undefined {
  const schema = owner.mapping("schema");
  if (schema === undefined) return undefined;
  const format = schema.text("format") ?? "json";
  if (!/^json(:(draft-)?2020-12)?$/.test(format)) {
    compilation.violations.add(schema.at("format"), `the schema format ${format} is not supported by this version: use json.`);
  }
  const external = schema.unsupported("resource", "Write the schema inline, under document.");
  const document = external ? schema.json("document") : schema.requiredJson("document");
  schema.close();
  if (document === undefined) return undefined;
  try {
    return compilation.schemas.compile(document);
  } catch (error) {
    compilation.violations.add(schema.at("document"), `not a valid JSON Schema: ${messageOf(error)}.`);
    return undefined;
  }
}
