/**
 * The request that a task of `http` asks for. Pure.
 */
import type { TaskContext } from "../define-task.ts";
import { inputInvalid, isObject, TaskInput } from "./task-input.ts";

const OUTPUTS = ["content", "response", "raw"] as const;

/** What is to be sent, and what is wanted of the answer. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
  /** `content`: the body, parsed by its type; `raw`: the body as base64; `response`: all of the response. */
  readonly output: (typeof OUTPUTS)[number];
  /** True: redirections are followed, and a status of 300 to 399 is no error. */
  readonly redirect: boolean;
}

/**
 * Reads the input `{method, endpoint, headers, query, body, output, redirect}`.
 *
 * @throws TaskError of type validation.
 */
export function httpRequest(value: unknown, context: Pick<TaskContext, "traceParent">): HttpRequest {
  const input = new TaskInput("http", value);
  const headers = headersOf(input);
  if (context.traceParent !== "" && !headers.has("traceparent")) headers.set("traceparent", context.traceParent);
  return {
    method: (input.text("method") ?? "GET").toUpperCase(),
    url: urlOf(input),
    headers,
    body: bodyOf(input.value("body"), headers),
    output: input.choice("output", OUTPUTS, "content"),
    redirect: input.flag("redirect"),
  };
}

function urlOf(input: TaskInput): URL {
  const endpoint = input.value("endpoint");
  const text = isObject(endpoint) ? endpoint.uri : endpoint;
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw inputInvalid("http", "endpoint", "must be an absolute URI of http or https");
  for (const [name, item] of Object.entries(input.texts("query"))) url.searchParams.append(name, item);
  return url;
}

function headersOf(input: TaskInput): Headers {
  try {
    return new Headers(input.texts("headers"));
  } catch (error) {
    if (error instanceof TypeError) throw inputInvalid("http", "headers", `must be names and values of HTTP (${error.message})`);
    throw error;
  }
}

/** A body is sent as JSON, unless its content type says otherwise and it is text already, or a form. */
function bodyOf(body: unknown, headers: Headers): string | undefined {
  if (body === undefined) return undefined;
  const type = headers.get("content-type");
  if (type === null) headers.set("content-type", "application/json");
  if (typeof body === "string" && type !== null && !isJsonType(type)) return body;
  if (type?.startsWith("application/x-www-form-urlencoded") && isObject(body)) {
    return new URLSearchParams(Object.entries(body).map(([name, item]): [string, string] => [name, String(item)])).toString();
  }
  return JSON.stringify(body);
}

/** True if a content type is that of JSON. */
export function isJsonType(type: string): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(type);
}
