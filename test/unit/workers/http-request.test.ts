import assert from "node:assert/strict";
import { httpRequest, isJsonType } from "../../../runtime/workers/builtin/http-request.ts";
import { TaskError } from "../../../runtime/workers/define-task.ts";

const ENDPOINT = "https://example.org/a?x=1";
const read = (input: Record<string, unknown>, traceParent = "") => httpRequest({ endpoint: ENDPOINT, ...input }, { traceParent });

describe("request of the http task", () => {
  it("has GET, content and no redirection as defaults", () => {
    const request = read({});
    assert.deepEqual([request.method, request.output, request.redirect, request.body], ["GET", "content", false, undefined]);
  });

  it("adds the query to what the endpoint has, and takes the endpoint as an object too", () => {
    assert.equal(read({ query: { y: 2, none: null } }).url.href, "https://example.org/a?x=1&y=2");
    assert.equal(read({ endpoint: { uri: ENDPOINT } }).url.href, ENDPOINT);
  });

  it("sends JSON unless the content type says otherwise", () => {
    const body = (value: unknown, type?: string) =>
      read({ method: "post", body: value, headers: type === undefined ? {} : { "Content-Type": type } }).body;
    assert.equal(body({ a: 1 }), '{"a":1}');
    assert.equal(body("text"), '"text"');
    assert.equal(body("text", "application/problem+json"), '"text"');
    assert.equal(body("text", "text/plain"), "text");
    assert.equal(body({ a: "b c" }, "application/x-www-form-urlencoded"), "a=b+c");
    assert.equal(read({ body: 1 }).headers.get("content-type"), "application/json");
  });

  it("carries the trace context unless the task gives one", () => {
    assert.equal(read({}, "00-aa-bb-01").headers.get("traceparent"), "00-aa-bb-01");
    assert.equal(read({ headers: { traceparent: "own" } }, "00-aa-bb-01").headers.get("traceparent"), "own");
  });

  it("refuses what is not valid, naming the field", () => {
    const wrong: [string, Record<string, unknown>][] = [
      ["endpoint", { endpoint: "/relative" }],
      ["endpoint", { endpoint: "file:///etc/passwd" }],
      ["headers", { headers: { "a b": "c" } }],
      ["headers.a", { headers: { a: {} } }],
      ["query", { query: [] }],
      ["output", { output: "body" }],
      ["redirect", { redirect: "yes" }],
      ["method", { method: 1 }],
    ];
    for (const [field, input] of wrong) {
      assert.throws(
        () => read(input),
        (error) => error instanceof TaskError && error.status === 400 && error.retryable === false && error.message.includes(`: ${field} `),
        field,
      );
    }
  });

  it("knows JSON by its content type", () => {
    for (const type of ["application/json", "application/json; charset=utf-8", "application/vnd.api+json"]) assert.ok(isJsonType(type), type);
    for (const type of ["text/json-ish", "application/jsonx", "text/plain"]) assert.ok(!isJsonType(type), type);
  });
});
