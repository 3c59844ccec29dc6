/**
 * The operators' port of a node: `/healthz` (the process lives), `/readyz` (it takes work, and if not, what is missing) and `/metrics`.
 * Answers only; it changes nothing, and it is up before the node is ready and until the node is gone.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MaestroError, messageOf } from "../runtime/errors.ts";
import type { Readiness } from "./readiness.ts";

/** What the server needs. */
export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly readiness: Readiness;
  /** The metrics page, with its content type. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A server that listens. */
export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts the server. @throws PORT_IN_USE */
export async function openOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => sendJson(response, 500, { error: messageOf(error) }));
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: OpsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      const facts = { host, port, purpose: "ops server", setting: "MAESTRO_OPS_PORT" };
      reject(isTaken ? new MaestroError("PORT_IN_USE", { facts, cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}

async function answer(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    sendJson(response, 405, { error: `${request.method ?? "this method"} is not answered here; use GET` });
    return;
  }
  if (path === "/healthz") sendJson(response, 200, { status: "alive" });
  else if (path === "/readyz") sendJson(response, options.readiness.isReady ? 200 : 503, readinessReport(options.readiness));
  else if (path === "/metrics") {
    const page = await options.metrics();
    response.writeHead(200, { "content-type": page.contentType }).end(page.text);
  } else sendJson(response, 404, { error: "there is nothing here", paths: ["/healthz", "/readyz", "/metrics"] });
}

function readinessReport(readiness: Readiness): object {
  const checks = readiness.checks();
  const missing = checks.filter((check) => !check.ready);
  return { status: missing.length === 0 ? "ready" : "not ready", notReady: missing.map(({ name, reason }) => `${name}: ${reason}`), checks };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(`${JSON.stringify(body)}\n`);
}
