/**
 * Runs another program to its end, with a deadline. Owns the child process and nothing else.
 */
import { spawn } from "node:child_process";
import type { Clock } from "../../runtime/clock.ts";

/** How a program is run. */
export interface CommandOptions {
  readonly cwd: string;
  /** After this many milliseconds the program is killed. */
  readonly timeoutMs: number;
  /** True shows the output while it comes; false collects it. */
  readonly isLive?: boolean;
}

/** How a program ended. */
export interface CommandResult {
  /** True if it ended by itself with exit code 0. */
  readonly ok: boolean;
  /** What it wrote, and how it ended if that was not well. Only the latter for a live program. */
  readonly output: string;
}

/** Runs a program; never rejects: a program that can't be started is a result that is not ok. */
export async function runCommand(clock: Clock, file: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return await new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      stdio: options.isLive === true ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    let isLate = false;
    const stopTimer = clock.schedule(options.timeoutMs, () => {
      isLate = true;
      child.kill("SIGKILL");
    });
    const finish = (ok: boolean, remark: string): void => {
      stopTimer();
      resolve({ ok, output: [...output, remark].join("").trimEnd() });
    };
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    child.once("error", (error) => finish(false, `${file} can't be run: ${error.message}`));
    child.once("close", (code, signal) => {
      const ending = isLate ? `killed because it had not ended after ${options.timeoutMs} ms` : `ended with ${signal ?? `exit code ${code}`}`;
      finish(code === 0, code === 0 ? "" : `\n${ending}`);
    });
  });
}
