/**
 * Starts the service on a free port and writes `{ port, pid, version, instance }` into the file named by QUOTES_READY_FILE.
 */
import { renameSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createService } from "./server.ts";

const version = process.env.QUOTES_VERSION ?? "0.0.0";
const instance = process.env.QUOTES_INSTANCE ?? String(process.pid);
const readyFile = process.env.QUOTES_READY_FILE;
/** A service that is ill can be asked for, to see what those who start it do about it. */
const isIll = process.env.QUOTES_FAULT === "health";

/** The first answers come slowly on a cold start, so it does not call itself healthy at once. */
const WARM_UP_MS = 300;
const warmAt = performance.now() + WARM_UP_MS;

const server = createService({ version, instance }, () => !isIll && performance.now() >= warmAt);
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`parcel-quotes ${version} listens on http://127.0.0.1:${port}`);
  if (readyFile === undefined) return;
  writeFileSync(`${readyFile}.new`, JSON.stringify({ port, pid: process.pid, version, instance }));
  renameSync(`${readyFile}.new`, readyFile);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => server.close(() => process.exit(0)));
