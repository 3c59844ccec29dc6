import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { LIMITS } from "../../runtime/limits.ts";
import type { AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool } from "../support/worker-pools.ts";

const COMMUNICATION = "https://open-workflow-specification.org/spec/1.0.0/errors/communication";

/** What the test server answers, by path. */
const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown> = {
  "/json": (_request, response) => response.setHeader("content-type", "application/json; charset=utf-8").end('{"a":[1,2]}'),
  "/problem": (_request, response) => response.setHeader("content-type", "application/problem+json").end('{"title":"T"}'),
  "/text": (_request, response) => response.setHeader("content-type", "text/plain").end("grüß"),
  "/binary": (_request, response) => response.setHeader("content-type", "image/png").end(Buffer.from([0, 255, 1])),
  "/lies": (_request, response) => response.setHeader("content-type", "application/json").end("<html>"),
  "/empty": (_request, response) => response.writeHead(204).end(),
  "/echo": async (request, response) => {
    const { method, url, headers } = request;
    const told = { method, url, type: headers["content-type"], traceparent: headers.traceparent, body: await text(request) };
    response.setHeader("content-type", "application/json").end(JSON.stringify(told));
  },
  "/moved": (_request, response) => response.writeHead(302, { location: "/json" }).end("moved"),
  "/unchanged": (_request, response) => response.writeHead(304).end(),
  "/missing": (_request, response) => response.writeHead(404, { "content-type": "application/json" }).end('{"why":"gone"}'),
  "/huge": (_request, response) => response.end(Buffer.alloc(LIMITS.payloadBytes + 1)),
  "/endless": (_request, response) => {
    const more = (): void => {
      while (response.writable && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", more);
    more();
  },
  "/breaks": (_request, response) => response.writeHead(200, { "content-length": 100 }).write("part", () => response.destroy()),
  "/never": () => undefined,
};

describe("http task", () => {
  let server: Server;
  let pool: WorkerPool;
  let base: string;
  const arrived: string[] = [];
  const hungUp: string[] = [];
  const call = (path: string, input: Record<string, unknown> = {}, more = {}): Promise<AttemptOutcome> =>
    execute(pool, attemptOf("http", { method: "get", endpoint: base + path, ...input }, more));

  before(async () => {
    server = createServer((request, response) => {
      const path = new URL(request.url ?? "", "http://localhost").pathname;
      arrived.push(path);
      response.on("close", () => {
        if (!response.writableEnded) hungUp.push(path);
      });
      void ROUTES[path]?.(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pool = await startTestPool({ handlersFolder: "" });
  });
  after(async () => {
    await pool.stop(0);
    server.closeAllConnections();
    server.close();
  });

  it("gives the content, parsed by its type", async () => {
    assert.deepEqual(resultOf(await call("/json")), { a: [1, 2] });
    assert.deepEqual(resultOf(await call("/problem")), { title: "T" });
    assert.equal(resultOf(await call("/text")), "grüß");
    assert.equal(resultOf(await call("/binary")), "AP8B");
    assert.equal(resultOf(await call("/empty")), null);
  });

  it("gives the raw content as base64", async () => {
    assert.equal(resultOf(await call("/json", { output: "raw" })), Buffer.from('{"a":[1,2]}').toString("base64"));
  });

  it("gives the whole response without the secrets of the request", async () => {
    const headers = { Authorization: "Bearer secret", "X-Own": "1" };
    const response = resultOf(await call("/json", { output: "response", headers })) as Record<string, unknown>;
    assert.deepEqual(response.request, { method: "GET", uri: `${base}/json`, headers: { "x-own": "1" } });
    assert.deepEqual([response.statusCode, response.content], [200, { a: [1, 2] }]);
    assert.equal((response.headers as Record<string, string>)["content-type"], "application/json; charset=utf-8");
  });

  it("sends method, query, body and trace context", async () => {
    const input = { method: "post", query: { q: "a b", n: 1 }, body: { x: 1 } };
    assert.deepEqual(resultOf(await call("/echo", input, { traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" })), {
      method: "POST",
      url: "/echo?q=a+b&n=1",
      type: "application/json",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      body: '{"x":1}',
    });
  });

  it("fails on a status that is no success, with the start of the answer", async () => {
    const { stack, ...error } = errorOf(await call("/missing", { query: { token: "secret" } }));
    assert.ok(stack);
    assert.deepEqual(error, {
      kind: "thrown",
      type: COMMUNICATION,
      title: "Communication Error",
      status: 404,
      message: `GET ${base}/missing answered with status 404 Not Found.`,
      details: '{"body":"{\\"why\\":\\"gone\\"}"}',
    });
  });

  it("takes a redirection for an error, unless it is to be followed", async () => {
    assert.equal(errorOf(await call("/moved")).status, 302);
    assert.deepEqual(resultOf(await call("/moved", { redirect: true })), { a: [1, 2] });
    assert.equal(errorOf(await call("/unchanged")).status, 304);
    assert.equal(resultOf(await call("/unchanged", { redirect: true })), null);
  });

  it("fails when nobody answers, or the answer breaks off", async () => {
    for (const outcome of [await call("", { endpoint: "http://127.0.0.1:1/" }), await call("/breaks")]) {
      const error = errorOf(outcome);
      assert.deepEqual([error.kind, error.type, error.status], ["thrown", COMMUNICATION, 503]);
    }
  });

  it("fails on an answer that is too large or not what it says", async () => {
    assert.equal(errorOf(await call("/endless")).status, 502);
    const large = errorOf(await call("/huge"));
    assert.deepEqual([large.status, large.message], [502, `The response to GET ${base}/huge has more than ${LIMITS.payloadBytes} bytes.`]);
    assert.match(errorOf(await call("/lies")).message, /not the JSON that its content type promises/);
  });

  it("hangs up when it is cancelled", async () => {
    const attempt = attemptOf("http", { method: "get", endpoint: `${base}/never` });
    const outcome = execute(pool, attempt);
    await waitUntil("the request to arrive", () => arrived.includes("/never"));
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    await waitUntil("the server to notice", () => hungUp.includes("/never"));
  });
});
