/**
 * Runs a program to its end for a task: without a shell, with its output kept for the log and for the error, ended when the task is cancelled.
 */
import { spawn } from "node:child_process";
import { TaskError } from "maestro-conductor";

/** What to run and where. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Variables beside those of this process; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const OUTPUT_KEPT_CHARACTERS = 64 * 1024;
const OUTPUT_SHOWN_LINES = 15;

/** The program's output (both streams). @throws TaskError with the end of the output, if the program does not exit with 0. */
export function runCommand({ program, args, cwd, signal, env }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, signal, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-OUTPUT_KEPT_CHARACTERS);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new TaskError(`${[program, ...args].join(" ")} exited with ${code ?? "a signal"}:\n${lastLines(output)}`, { retryable: false }));
    });
  });
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-OUTPUT_SHOWN_LINES).join("\n");
}
