/**
 * Stops the PostgreSQL server that a killed node left running on our data folder. It signals only a process that it recognised as that
 * very server, and removes a stale `postmaster.pid` whose number belongs to somebody else by now (PostgreSQL would refuse to start).
 */
import { execFile } from "node:child_process";
import { readFile, realpath, unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { pause } from "./pause.ts";
import { exists, workingFolderOf } from "./process-identity.ts";

/** What `postmaster.pid` says: its 1st and 8th line. */
export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}

/** How to ask a server to stop, gentlest first, and for how long to wait each time. */
const STEPS = [
  { signal: "SIGINT", waitMs: 15_000 },
  { signal: "SIGQUIT", waitMs: 5_000 },
  { signal: "SIGKILL", waitMs: 5_000 },
] as const;

/** Milliseconds between two looks at a process. */
const POLL_MS = 10;

/** The server that the data folder's pid file names, or undefined without one. */
export async function readPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataFolder, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === "ready" } : undefined;
}

/** Stops what a killed node left. @throws DATABASE_UNAVAILABLE it does not stop. */
export async function stopLeftover(dataFolder: string, clock: Clock): Promise<void> {
  const postmaster = await readPostmaster(dataFolder);
  if (postmaster === undefined) return;
  const { pid } = postmaster;
  if (!exists(pid) || !(await servesFolder(pid, dataFolder))) {
    await unlink(join(dataFolder, "postmaster.pid"));
    return;
  }
  for (const { signal, waitMs } of STEPS) {
    if (exists(pid)) process.kill(pid, signal);
    if (await waitForExit(pid, waitMs, clock)) return;
  }
  throw new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "embedded", reason: `process ${pid} of an earlier node does not stop` } });
}

async function waitForExit(pid: number, waitMs: number, clock: Clock): Promise<boolean> {
  for (const endMs = clock.monotonic() + waitMs; clock.monotonic() < endMs; ) {
    if (!exists(pid)) return true;
    await pause(POLL_MS, clock);
  }
  return false;
}

/** True if the process is a PostgreSQL server on that folder: a server works inside its data folder. */
async function servesFolder(pid: number, dataFolder: string): Promise<boolean> {
  if (process.platform === "linux") return (await workingFolderOf(pid)) === (await realpath(dataFolder));
  const { stdout } = await promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)]);
  return stdout.includes("postgres") && stdout.includes(dataFolder);
}
