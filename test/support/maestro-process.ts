/**
 * The `maestro` command in a process of its own, as its users run it. Owns the processes that it started: {@link endAll} kills what is left.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitUntil } from "./wait-until.ts";

const MAIN = fileURLToPath(new URL("../../ops/cli/main.ts", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with which variables a command runs. Only PATH and HOME are taken from the test's own. */
export interface Surroundings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that it is put behind, such as one that enters a network namespace. It must become the program (exec), so that the process is the same. */
  readonly prefix?: readonly string[];
  /** The program's main file. Default: that of the working tree. */
  readonly main?: string;
}

const started = new Set<ChildProcess>();

/** A command that runs. */
export class MaestroProcess {
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], { cwd, env = {}, prefix = [], main = MAIN }: Surroundings) {
    const base = { PATH: process.env.PATH, HOME: process.env.HOME };
    const [program = "", ...rest] = [...prefix, process.execPath, main, ...args];
    this.#child = spawn(program, rest, { cwd, env: { ...base, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    started.add(this.#child);
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString("utf8");
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString("utf8");
    });
    this.#child.once("close", () => started.delete(this.#child));
  }

  /** What it has written to its standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has written to its standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Process id; undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True once it has ended and all its output is here. */
  get isOver(): boolean {
    return !started.has(this.#child);
  }

  /** Sends a signal to this very process. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once it has ended and all its output is here. */
  async ended(timeoutMs = 30_000): Promise<Ended> {
    await waitUntil(`the end of the process; so far it wrote:\n${this.#stdout}\n${this.#stderr}`, () => this.isOver, timeoutMs);
    return { code: this.#child.exitCode, signal: this.#child.signalCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** For `start`: resolves with the gRPC address once the node's log says that it is ready. */
  async ready(timeoutMs = 30_000): Promise<string> {
    const line = await waitUntil("the node's log line that says it is ready", () => this.#readyLine(), timeoutMs);
    return (JSON.parse(line) as { grpc: string }).grpc;
  }

  #readyLine(): string | undefined {
    if (this.isOver) throw new Error(`the process has ended: ${this.#stdout}\n${this.#stderr}`);
    return this.#stdout.split("\n").find((line) => line.includes('"the node is ready"') && line.endsWith("}"));
  }
}

/** Runs a command to its end. */
export function maestro(args: readonly string[], surroundings: Surroundings): Promise<Ended> {
  return new MaestroProcess(args, surroundings).ended();
}

/** Kills what tests left behind. */
export function endAll(): void {
  for (const child of started) child.kill("SIGKILL");
}
