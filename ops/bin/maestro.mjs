#!/usr/bin/env node
/**
 * The `maestro` command. Plain JavaScript that any Node.js from 20 on understands, because its one task is to make sure that the program
 * runs on a Node.js that is new enough: on this one, or on the one that the `node` package brought along. It then hands over to the
 * command line proper and knows nothing of it.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MAJOR_MIN = 24;

/** Set for the program that this one starts, so that it knows about its parent and can't start a third. */
const RELAUNCHED = "MAESTRO_RELAUNCHED";

/** Signals that are passed on. SIGINT is not among them if it comes from a terminal, which sends it to both processes by itself. */
const FORWARDED = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];

/** The binary of the `node` package, wherever npm put it; undefined if it is not there, or was installed without its script. */
function bundledNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    return [join(folder, "bin", "node"), join(folder, "bin", "node.exe")].find((path) => existsSync(path));
  } catch {
    // The package is not installed.
    return undefined;
  }
}

function refuse() {
  console.error(`maestro needs Node.js ${MAJOR_MIN} or newer; this is ${process.versions.node} (${process.execPath}).`);
  console.error(
    "It usually brings one along in the npm package `node`, but that one is missing. Most likely npm was told not to run its install script.",
  );
  console.error("Allow it with `npm install-scripts approve node` and run `npm rebuild node`, or install Node.js 24 yourself.");
  process.exitCode = 1;
}

function relaunch(binary) {
  const options = { stdio: ["inherit", "inherit", "inherit", "ipc"], env: { ...process.env, [RELAUNCHED]: "1" } };
  const child = spawn(binary, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], options);
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.once("error", (error) => {
    console.error(`${binary} can't be run: ${error.message}`);
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    for (const forwarded of [...FORWARDED, "SIGINT"]) process.removeAllListeners(forwarded);
    process.kill(process.pid, signal);
  });
}

/** Whoever kills the parent with SIGKILL means this process: without its parent it would go on unseen. */
function dieWithParent() {
  delete process.env[RELAUNCHED];
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref();
}

async function run() {
  const compiled = new URL("../../dist/ops/cli/main.js", import.meta.url);
  const source = new URL("../cli/main.ts", import.meta.url);
  await import((existsSync(compiled) && !existsSync(source) ? compiled : source).href);
}

const isRelaunched = process.env[RELAUNCHED] === "1" && process.channel !== undefined;
if (isRelaunched) dieWithParent();
if (Number.parseInt(process.versions.node, 10) >= MAJOR_MIN) {
  await run();
} else {
  const binary = isRelaunched ? undefined : bundledNode();
  if (binary === undefined) refuse();
  else relaunch(binary);
}
