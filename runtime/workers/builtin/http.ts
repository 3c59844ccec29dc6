/**
 * The built-in handler `http`: one HTTP call, with the semantics of `call: http` of the Open Workflow Specification.
 */
import { messageOf } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { cutText } from "../bounded-text.ts";
import { defineTask, type TaskContext, type TaskDefinition, TaskError } from "../define-task.ts";
import { type HttpRequest, httpRequest, isJsonType } from "./http-request.ts";
import { ERROR_TYPES } from "./task-input.ts";

/** Bytes of a failed response's body that go into the error. */
const EXCERPT_BYTES = 2_048;

/** Request headers that are not shown in an output: it is stored in the run's history. */
const SECRET_HEADERS = new Set(["authorization", "proxy-authorization", "cookie"]);

/** The handler. */
export function httpTask(): TaskDefinition {
  return defineTask({
    name: "http",
    run: async (input, context) => {
      const request = httpRequest(input, context);
      const response = await send(request, context);
      const body = await readBody(request, response, context);
      if (!response.ok && !(request.redirect && response.status < 400)) throw statusError(request, response, body);
      return outputOf(request, response, body);
    },
  });
}

async function send(request: HttpRequest, { signal }: TaskContext): Promise<Response> {
  const { method, url, headers, body = null, redirect } = request;
  try {
    return await fetch(url, { method, headers, body, signal, redirect: redirect ? "follow" : "manual" });
  } catch (error) {
    throw signal.aborted ? error : unreachable(request, error);
  }
}

async function readBody(request: HttpRequest, response: Response, { signal }: TaskContext): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > LIMITS.payloadBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw signal.aborted ? error : unreachable(request, error);
  }
  if (bytes <= LIMITS.payloadBytes) return Buffer.concat(chunks);
  throw communicationError(502, `The response to ${shown(request)} has more than ${LIMITS.payloadBytes} bytes.`);
}

function outputOf(request: HttpRequest, response: Response, body: Buffer): unknown {
  if (request.output === "raw") return body.toString("base64");
  const content = contentOf(request, response, body);
  if (request.output === "content") return content;
  const sent = [...request.headers].filter(([name]) => !SECRET_HEADERS.has(name));
  return {
    request: { method: request.method, uri: request.url.href, headers: Object.fromEntries(sent) },
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    content,
  };
}

/** The body by its type: JSON as data, text as text, nothing as null, and anything else as base64. */
function contentOf(request: HttpRequest, response: Response, body: Buffer): unknown {
  if (body.length === 0) return null;
  const type = response.headers.get("content-type") ?? "";
  if (!isJsonType(type)) return isText(type) ? body.toString("utf8") : body.toString("base64");
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw communicationError(502, `The response to ${shown(request)} is not the JSON that its content type promises: ${messageOf(error)}`);
  }
}

function isText(type: string): boolean {
  return type === "" || /^text\/|^application\/([\w.-]+\+)?(xml|yaml|javascript|graphql)\b|^application\/x-www-form-urlencoded/i.test(type);
}

function statusError(request: HttpRequest, response: Response, body: Buffer): TaskError {
  const message = `${shown(request)} answered with status ${response.status} ${response.statusText}`.trimEnd();
  const excerpt = isText(response.headers.get("content-type") ?? "") || isJsonType(response.headers.get("content-type") ?? "");
  return communicationError(response.status, `${message}.`, excerpt ? { body: cutText(body.toString("utf8"), EXCERPT_BYTES) } : undefined);
}

/** The failure below HTTP: no connection, no name, no answer. */
function unreachable(request: HttpRequest, error: unknown): TaskError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const status = /TIMEOUT|ETIMEDOUT/.test(code) ? 504 : 503;
  return communicationError(status, `${shown(request)} failed: ${messageOf(cause) || code}`, undefined, error);
}

function communicationError(status: number, message: string, details?: unknown, cause?: unknown): TaskError {
  return new TaskError(message, { type: ERROR_TYPES.communication, title: "Communication Error", status, details, cause });
}

/** The request for messages: without query and user information, which may hold secrets. */
function shown({ method, url }: HttpRequest): string {
  return `${method} ${url.origin}${url.pathname}`;
}
