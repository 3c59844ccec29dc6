/**
 * Executes one shell command in a process group of its own, and sees to it that nothing of the group outlives the command or its thread.
 * Output is kept up to a bound, the rest is read and counted.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../../clock.ts";
import { LIMITS } from "../../limits.ts";
import { killProcessGroup } from "./process-group.ts";

/** How long a command may take to end after it was asked to, in milliseconds. */
const TERMINATION_MS = 2_000;

/** How long output is waited for when the command has ended, in milliseconds: something outside its group may hold it open. */
const OUTPUT_MS = 1_000;

/** What to execute. */
export interface Command {
  /** Text for `sh -c`. */
  readonly script: string;
  /** `$1`, `$2` and so on. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Undefined: the folder of the node. */
  readonly cwd: string | undefined;
}

/** How it went. `code` is 128 + the signal's number if a signal ended it, as shells have it. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts a command beside a guard in the same process group. The guard reads from a pipe whose other end is this thread's: nothing is ever
 * written to it, and when the thread, its process or the node is gone, however that came about, the system closes it and the guard kills the
 * group. So no command outlives the thread that started it, even if nobody is left to see to it. The guard ignores the polite signals that
 * are meant for the command, from its very beginning: on a busy machine a command may be asked to end before its guard has come to anything.
 */
const GUARDED = 'trap "" TERM INT HUP; { read -r line <&3; kill -KILL 0; } >/dev/null 2>&1 & trap - TERM INT HUP; exec 3<&-; exec /bin/sh -c "$@"';

/**
 * Executes a command. An aborted signal ends its whole group: politely, and two seconds later by force.
 *
 * @throws Error the shell can't be started (for one, `cwd` does not exist).
 */
export async function executeCommand(command: Command, signal: AbortSignal, clock: Clock): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", GUARDED, "sh", command.script, "sh", ...command.arguments], {
    cwd: command.cwd,
    env: command.environment,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const exit = exitOf(child);
  const group = child.pid;
  if (group === undefined) return exit.then(() => Promise.reject(new Error("the shell has not started")));
  let stopForce = (): void => undefined;
  const abort = (): void => {
    killProcessGroup(group, "SIGTERM");
    stopForce = clock.schedule(TERMINATION_MS, () => killProcessGroup(group, "SIGKILL"));
  };
  signal.addEventListener("abort", abort);
  // A command is free not to read its input, and to end before its guard is noticed.
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  child.stdin.end(command.stdin);
  const output = Promise.all([keep(child.stdout), keep(child.stderr)]);
  try {
    const code = await exit;
    killProcessGroup(group, "SIGKILL");
    const stopWaiting = clock.schedule(OUTPUT_MS, () => destroyOutput(child));
    const [stdout, stderr] = await output;
    stopWaiting();
    signal.throwIfAborted();
    return { code, stdout, stderr };
  } finally {
    stopForce();
    signal.removeEventListener("abort", abort);
    for (const stream of child.stdio) stream?.destroy();
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function signalNumber(signal: string | null): number {
  return SIGNAL_NUMBERS[signal ?? ""] ?? 0;
}

function keep(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let kept = 0;
  let bytes = 0;
  return new Promise((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      const part = chunk.subarray(0, LIMITS.shellOutputBytes - kept);
      if (part.length > 0) chunks.push(part);
      kept += part.length;
    });
    stream.once("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      resolve(bytes === kept ? text : `${text.replace(/\uFFFD$/, "")}… (${bytes - kept} bytes cut)`);
    });
  });
}

function destroyOutput(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}
