/**
 * Other engines under the same workloads: how the scripts of a folder are run, what each needs, and how their answers are read. The folder is not
 * part of the product; its packages are installed by whoever asks for the comparison.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

/** One engine of the folder. */
export interface PeerEngine {
  readonly name: string;
  /** Packages below the folder's `node_modules` that must be there. */
  readonly packages: readonly string[];
  /** Programs that must be installed. */
  readonly programs: readonly string[];
  /** Runs on the folder's PostgreSQL. */
  readonly postgres: boolean;
  /** Script in the folder with its arguments. */
  readonly script: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A line that a script wrote at the end of a figure. */
export interface PeerSummary {
  readonly engine: string;
  /** `W1a:summary` and the like. */
  readonly fig: string;
  readonly settings: string;
  readonly unit: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly p50: number;
  readonly p99: number;
}

const POSTGRES_PROGRAMS = ["/usr/bin/psql", "/usr/bin/setpriv"];

/** Those that run W1 and W2, each with the settings that suit it best. */
export const PEER_ENGINES: readonly PeerEngine[] = [
  {
    name: "restate",
    packages: ["@restatedev/restate-sdk", "@restatedev/restate-server-linux-x64"],
    programs: [],
    postgres: false,
    script: ["restate/bench.mjs", "W1,W2"],
    env: { RESTATE_DEFAULT_NUM_PARTITIONS: "2" },
  },
  {
    name: "dbos",
    packages: ["@dbos-inc/dbos-sdk"],
    programs: POSTGRES_PROGRAMS,
    postgres: true,
    script: ["dbos/bench.mjs", "W1,W1b,W2"],
    env: { POOL: "10", CONC: "100" },
  },
  {
    name: "effect",
    packages: ["effect", "@effect/sql-pg"],
    programs: POSTGRES_PROGRAMS,
    postgres: true,
    script: ["effect/bench.mjs", "W1,W1b,W2"],
    env: { POOL: "10", CONC: "100" },
  },
  {
    name: "bullmq",
    packages: ["bullmq"],
    programs: ["/usr/bin/redis-server", "/usr/bin/redis-cli"],
    postgres: false,
    script: ["bullmq/bench.mjs", "W1,W2"],
    env: { FSYNC: "always" },
  },
  {
    name: "graphile",
    packages: ["graphile-worker"],
    programs: POSTGRES_PROGRAMS,
    postgres: true,
    script: ["graphile/bench.mjs", "W1"],
    env: {},
  },
];

/** Why an engine can't run here, or undefined. */
export function obstacleOf(engine: PeerEngine, folder: string): string | undefined {
  if (!existsSync(`${folder}/${engine.script[0]}`)) return `${folder} has no ${engine.script[0]}`;
  const lacking = engine.packages.find((name) => !existsSync(`${folder}/node_modules/${name}`));
  if (lacking !== undefined) return `the package ${lacking} is not installed in ${folder}: run npm install there`;
  const missing = engine.programs.find((path) => !existsSync(path));
  if (missing !== undefined) return `there is no ${missing} on this machine`;
  if (engine.postgres && process.getuid?.() !== 0) return "its PostgreSQL is started by root for a user of its own, and this is not root";
  return undefined;
}

/** What a program of the folder wrote, and why it failed if it did: a script may fail after its last figure. */
export interface ScriptEnd {
  readonly lines: readonly string[];
  readonly failure: string | undefined;
}

/** Runs a program of the folder to its end. */
export async function runInFolder(
  folder: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ScriptEnd> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], signal });
  const lines: string[] = [];
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return { lines, failure: undefined };
  const complaint = complaints.find((line) => /error/i.test(line)) ?? complaints.at(-1) ?? "it says nothing";
  return { lines, failure: `${command.join(" ")} ended with ${code}: ${complaint.trim()}` };
}

/** The figures among the lines that a script wrote. */
export function summariesOf(lines: readonly string[]): readonly PeerSummary[] {
  const records = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as PeerSummary);
  return records.filter(({ fig }) => /^W(1a|1b|1|2):summary$/.test(fig));
}
