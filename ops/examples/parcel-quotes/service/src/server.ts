/**
 * The HTTP face of the service: `/quote`, and `/health` and `/version` for those who run it.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import { quote, refusal } from "./tariff.ts";

/** Who the service says that it is. */
export interface Identity {
  readonly version: string;
  /** Chosen by whoever started the process, to tell it from another one that took its port. */
  readonly instance: string;
}

/** The service. `isHealthy` is asked each time that somebody asks for its health. */
export function createService(identity: Identity, isHealthy: () => boolean): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/version") send(response, 200, identity);
    else if (url.pathname === "/health") send(response, isHealthy() ? 200 : 503, { healthy: isHealthy(), ...identity });
    else if (url.pathname === "/quote") answerQuote(url.searchParams, identity, response);
    else send(response, 404, { error: "there is /quote, /health and /version" });
  });
}

function answerQuote(query: URLSearchParams, { version }: Identity, response: ServerResponse): void {
  const parcel = {
    weightGrams: Number(query.get("weightGrams") ?? Number.NaN),
    distanceKm: Number(query.get("distanceKm") ?? Number.NaN),
    express: query.get("express") === "true",
  };
  const reason = refusal(parcel);
  if (reason === undefined) send(response, 200, { ...quote(parcel), version });
  else send(response, 400, { error: reason });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
