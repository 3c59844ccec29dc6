import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitUntil } from "../support/wait-until.ts";

/** Stands in for the command line: says what it was given, then does what its first argument says. */
const PROGRAM = `
const [verb, value] = process.argv.slice(2);
if (verb === "exit") process.exitCode = Number(value);
if (verb === "wait" || verb === "drain") setInterval(() => {}, 1000);
if (verb === "drain") process.once("SIGTERM", () => process.exit(7));
console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(2), relaunched: process.env.MAESTRO_RELAUNCHED ?? null }));
`;

/** Makes this Node.js pass for an old one, and starts the command as the shell would. */
const OLD_NODE = `
Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });
await import(new URL("./ops/bin/maestro.mjs", import.meta.url).href);
`;

interface Started {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<unknown[]>;
}

describe("the maestro command on an old Node.js", () => {
  let folder: string;
  let pids: number[];

  beforeEach(() => {
    pids = [];
    folder = mkdtempSync(join(tmpdir(), "maestro-launcher-"));
    for (const path of ["ops/bin", "ops/cli", "node_modules/node/bin"]) mkdirSync(join(folder, path), { recursive: true });
    cpSync(fileURLToPath(new URL("../../ops/bin/maestro.mjs", import.meta.url)), join(folder, "ops/bin/maestro.mjs"));
    writeFileSync(join(folder, "ops/cli/main.ts"), PROGRAM);
    writeFileSync(join(folder, "old-node.mjs"), OLD_NODE);
    writeFileSync(join(folder, "node_modules/node/package.json"), '{ "name": "node", "version": "24.0.0" }');
    symlinkSync(process.execPath, join(folder, "node_modules/node/bin/node"));
  });

  afterEach(() => {
    for (const pid of pids) killIfAlive(pid);
    rmSync(folder, { recursive: true, force: true });
  });

  function start(...args: string[]): Started {
    const child = spawn(process.execPath, [join(folder, "old-node.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    return { child, output, ended: once(child, "close") };
  }

  async function programOf(started: Started): Promise<{ pid: number; args: string[]; relaunched: string | null }> {
    const line = await waitUntil("the program's first line", () => started.output.stdout.includes("\n") && started.output.stdout);
    const program = JSON.parse(line) as { pid: number; args: string[]; relaunched: string | null };
    pids.push(program.pid);
    return program;
  }

  it("runs on the bundled one with the same arguments, and mirrors its exit code", async () => {
    const started = start("exit", "3", "--flag=a b");
    assert.deepEqual(await started.ended, [3, null]);
    const program = await programOf(started);
    assert.deepEqual(program.args, ["exit", "3", "--flag=a b"]);
    assert.notEqual(program.pid, started.child.pid);
    assert.equal(program.relaunched, null, "children of the program must not think that they were relaunched");
  });

  it("passes SIGTERM on, so that the program can drain", async () => {
    const started = start("drain");
    await programOf(started);
    started.child.kill("SIGTERM");
    assert.deepEqual(await started.ended, [7, null]);
  });

  it("dies of the signal that the program died of", async () => {
    const started = start("wait");
    const program = await programOf(started);
    process.kill(program.pid, "SIGTERM");
    assert.deepEqual(await started.ended, [null, "SIGTERM"]);
  });

  it("takes the program with it when it is killed", async () => {
    const started = start("wait");
    await programOf(started);
    started.child.kill("SIGKILL");
    // The streams close only when the program, which inherited them, has ended too.
    assert.deepEqual(await started.ended, [null, "SIGKILL"]);
  });

  it("says what is missing if there is no bundled one", async () => {
    rmSync(join(folder, "node_modules"), { recursive: true });
    const started = start("exit", "0");
    assert.deepEqual(await started.ended, [1, null]);
    assert.match(started.output.stderr, /needs Node\.js 24 or newer; this is 20\.20\.2/);
    assert.match(started.output.stderr, /npm install-scripts approve node/);
    assert.equal(started.output.stdout, "");
  });
});

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended, as it should have.
  }
}
