/**
 * The front of the example: a small reverse proxy that hands each request to the version that is in charge at that moment
 * (`current.json`). A program of its own, `node front.ts SITE`, because it must not go down with the node that deploys.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request as open, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const [site = ".", instance = String(process.pid)] = process.argv.slice(2);

function pass(request: IncomingMessage, response: ServerResponse): void {
  const { port } = JSON.parse(readFileSync(join(site, "current.json"), "utf8")) as { port: number };
  const { method, url, headers } = request;
  const onward = open({ host: "127.0.0.1", port, method, path: url, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.once("error", (error) => refuse(response, error));
  request.pipe(onward);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify({ error: String(error) }));
}

const server = createServer((request, response) => {
  try {
    if (request.url === "/front") response.end(JSON.stringify({ instance }));
    else pass(request, response);
  } catch (error) {
    refuse(response, error);
  }
});
server.listen(0, "127.0.0.1", () => {
  const file = join(site, "front.json");
  writeFileSync(`${file}.new`, JSON.stringify({ port: (server.address() as AddressInfo).port, pid: process.pid, instance }));
  renameSync(`${file}.new`, file);
});
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
