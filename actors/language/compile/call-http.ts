/**
 * `call: http`. The built-in handler is given
 * `{ method, endpoint, headers?, query?, body?, output: "content" | "raw" | "response", redirect: boolean }`, `method` in upper case.
 */
import { isJsonObject, type Json } from "../../json.ts";
import { ConstantTemplate } from "../constant-template.ts";
import type { Template } from "../expression.ts";
import { Fields } from "../fields.ts";
import type { CallNode } from "../model.ts";
import { pointerTo } from "../pointer.ts";
import { RecordTemplate } from "../record-template.ts";
import { UriExpression, UriTemplate } from "../uri-template.ts";
import type { Compilation, TaskSite } from "./compilation.ts";

/** Token of RFC 9110: names of methods and headers. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const EXPRESSION = /^\s*\$\{/;

/** `call: http`, `with`. */
export function compileHttp(fields: Fields, site: TaskSite, compilation: Compilation): CallNode {
  const given = fields.requiredMapping("with");
  const visible = site.variables.inTask;
  const request = new RecordTemplate({
    method: compileMethod(given, compilation),
    endpoint: compileEndpoint(given, visible, compilation),
    headers: compileHeaders(given, visible, compilation),
    query: compileMap(given, "query", visible, compilation),
    body: optional(given, "body", visible, compilation),
    output: new ConstantTemplate(given.oneOf("output", ["content", "raw", "response"]) ?? "content"),
    redirect: new ConstantTemplate(given.flag("redirect") ?? false),
  });
  given.close();
  return { ...site.base, kind: "call", handler: "http", request };
}

function compileMethod(given: Fields, compilation: Compilation): Template {
  const method = given.requiredText("method") ?? "GET";
  if (!TOKEN.test(method)) compilation.violations.add(given.at("method"), "must be the name of an HTTP method, such as get.");
  return new ConstantTemplate(method.toUpperCase());
}

function compileEndpoint(given: Fields, visible: readonly string[], compilation: Compilation): Template {
  const value = given.requiredJson("endpoint");
  if (!isJsonObject(value)) return compileUri(value, given.at("endpoint"), visible, compilation);
  const endpoint = Fields.of(value, given.at("endpoint"), compilation.violations);
  endpoint.unsupported("authentication", "Send credentials in headers.");
  const uri = compileUri(endpoint.requiredJson("uri"), endpoint.at("uri"), visible, compilation);
  endpoint.close();
  return uri;
}

function compileUri(value: Json | undefined, pointer: string, visible: readonly string[], compilation: Compilation): Template {
  if (typeof value !== "string") {
    if (value !== undefined) compilation.violations.add(pointer, "must be a URI, as a text.");
    return new ConstantTemplate("");
  }
  if (EXPRESSION.test(value)) return new UriExpression(compilation.expressions.template(value, pointer, visible));
  const parsed = UriTemplate.parse(value);
  if (!("fault" in parsed)) return parsed;
  compilation.violations.add(pointer, parsed.fault);
  return new ConstantTemplate("");
}

function compileHeaders(given: Fields, visible: readonly string[], compilation: Compilation): Template | undefined {
  const headers = given.json("headers");
  for (const [name, value] of isJsonObject(headers) ? Object.entries(headers) : []) {
    const pointer = pointerTo(given.at("headers"), name);
    if (!TOKEN.test(name)) compilation.violations.add(pointer, "is not a possible name of a header: use letters, digits and -.");
    if (typeof value === "object") compilation.violations.add(pointer, "must be a text.");
  }
  return compileMap(given, "headers", visible, compilation);
}

/** A mapping, or an expression that gives one. */
function compileMap(given: Fields, name: string, visible: readonly string[], compilation: Compilation): Template | undefined {
  const value = given.json(name);
  const usable = value === undefined || isJsonObject(value) || (typeof value === "string" && EXPRESSION.test(value));
  if (!usable) compilation.violations.add(given.at(name), "must be a mapping of names to values, or an expression that gives one.");
  return usable ? optional(given, name, visible, compilation) : undefined;
}

function optional(given: Fields, name: string, visible: readonly string[], compilation: Compilation): Template | undefined {
  const value = given.json(name);
  return value === undefined ? undefined : compilation.expressions.template(value, given.at(name), visible);
}
