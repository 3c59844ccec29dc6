/**
 * PostgreSQL for tests: one embedded server for each mocha process, started at first use and gone with the process, and a fresh, migrated
 * database for whoever asks. Works as root too.
 *
 * A test file calls {@link freshDatabase} in a `before` hook. Nothing needs to be stopped: connections are what a test must close itself.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/clock.ts";
import { systemRandom } from "../../runtime/random.ts";
import { type EmbeddedPg, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import { connectPg } from "../../runtime/storage/pg-connection.ts";
import { migrate } from "../../runtime/storage/pg-migrate.ts";

const TEMPLATE = "maestro_template";

interface Fixture {
  readonly server: EmbeddedPg;
  databases: number;
}

let started: Promise<Fixture> | undefined;

/** The URL of a new database with the current schema. Allow a few seconds for the first call in a process. */
export function freshDatabase(): Promise<string> {
  return create(TEMPLATE);
}

/** The URL of a new database without anything in it. */
export function emptyDatabase(): Promise<string> {
  return create("template1");
}

async function create(template: string): Promise<string> {
  const fixture = await shared();
  const name = `maestro_test_${++fixture.databases}`;
  await execute(fixture.server.url, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return urlOf(fixture.server, name);
}

/** Runs one statement on a connection of its own and answers its rows. */
export async function execute<Row>(url: string, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = await connectPg(url, { applicationName: "maestro-test" });
  try {
    return (await client.query(text, [...values])).rows as Row[];
  } finally {
    await client.end();
  }
}

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "maestro-test-"));
  atExit(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }));
  return folder;
}

const cleanups: (() => void)[] = [];

/** Calls back when the process ends, the last that was asked for first. */
function atExit(cleanup: () => void): void {
  if (cleanups.length === 0) {
    process.once("exit", runCleanups);
    // A test run that is told to end, by a deadline say, must not leave a server behind either.
    process.once("SIGTERM", () => {
      runCleanups();
      process.kill(process.pid, "SIGTERM");
    });
  }
  cleanups.push(cleanup);
}

function runCleanups(): void {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
}

function shared(): Promise<Fixture> {
  started ??= start();
  return started;
}

async function start(): Promise<Fixture> {
  const folder = join(temporaryFolder(), "data");
  const server = await startEmbeddedPg({ folder, clock: systemClock(), random: systemRandom() });
  server.unref();
  atExit(() => stopAtExit(server, join(folder, "postgres", "postmaster.pid")));
  await execute(server.url, `CREATE DATABASE ${TEMPLATE}`);
  await migrate(urlOf(server, TEMPLATE));
  return { server, databases: 0 };
}

/** Stops the server for good, ahead of the removal of its folder: at once, because nobody will need the data. */
function stopAtExit(server: EmbeddedPg, pidFile: string): void {
  if (server.pid === undefined) return;
  process.kill(server.pid, "SIGQUIT");
  // The process is ending: nothing asynchronous runs any more. The server removes its pid file last.
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; existsSync(pidFile) && waitedMs < 5_000; waitedMs += 5) Atomics.wait(idle, 0, 0, 5);
}

function urlOf(server: EmbeddedPg, database: string): string {
  const url = new URL(server.url);
  url.pathname = database;
  return url.href;
}
