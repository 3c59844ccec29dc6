/**
 * What a figure was measured on: without it no two figures can be compared.
 */
import { execFile } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { messageOf } from "../../runtime/errors.ts";
import { findBinaries } from "../../runtime/storage/pg-binaries.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

/** A machine, and the program on it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly postgres: string;
  /** Commit of the program, with `+` if files differ from it; "unknown" outside of a checkout. */
  readonly commit: string;
}

/** This machine. */
export async function describeMachine(): Promise<Machine> {
  const { postgres } = await findBinaries();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres: (await outputOf(postgres, "--version")).replace(/^postgres \(PostgreSQL\) /, ""),
    commit: await commit(),
  };
}

/** What the machine had to do in the last minute: average number of processes that wanted to run. */
export function pressure(): number {
  return Number((loadavg()[0] ?? Number.NaN).toFixed(2));
}

async function commit(): Promise<string> {
  const name = await outputOf("git", "rev-parse", "--short=10", "HEAD");
  if (!/^[0-9a-f]+$/.test(name)) return "unknown";
  return (await outputOf("git", "status", "--porcelain", "--untracked-files=no")) === "" ? name : `${name}+`;
}

/** What a program wrote, or why it wrote nothing. */
async function outputOf(file: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await run(file, args, { cwd: ROOT })).stdout.trim();
  } catch (error) {
    return messageOf(error);
  }
}
