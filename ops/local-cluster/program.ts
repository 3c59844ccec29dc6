/**
 * A program that runs in a process of its own, below this one: its start, signals, end and use of the processor. Owns the process: it does not outlive this
 * one, unless this one is killed without warning and the program has no channel to notice it by.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** Length of a tick of the CPU times below /proc, on every Linux in use. */
const TICK_US = 10_000;

/** What to start. */
export interface ProgramOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** File that its outputs are appended to. Without it they are dropped. */
  readonly logPath?: string;
  /** Gives it a channel that is closed when this process is gone. Only for programs in Node.js. */
  readonly hasChannel?: boolean;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** For people: `signal SIGKILL`, `exit code 5`, or why it could not be started. */
  readonly how: string;
}

/** The process. */
export class Program {
  /** Resolves when it has ended, or could not be started. */
  readonly exited: Promise<Ending>;
  readonly #child: ChildProcess;
  #ending: Ending | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    const ended = once(child, "exit").then(
      ([code, signal]: (number | NodeJS.Signals | null)[]): Ending =>
        signal === null
          ? { code: code as number, signal, how: `exit code ${code}` }
          : { code: null, signal: signal as NodeJS.Signals, how: `signal ${signal}` },
      (error: Error): Ending => ({ code: null, signal: null, how: error.message }),
    );
    this.exited = ended.then((ending) => {
      process.removeListener("exit", kill);
      this.#ending = ending;
      return ending;
    });
  }

  /** Starts it, in a session of its own: Ctrl-C in a terminal reaches this process, which ends the others in order. */
  static start({ file, args, cwd, env, logPath, hasChannel }: ProgramOptions): Program {
    const log = logPath === undefined ? "ignore" : openSync(logPath, "a");
    try {
      const channel = hasChannel === true ? (["ipc"] as const) : [];
      return new Program(spawn(file, [...args], { cwd, env: { ...env }, detached: true, stdio: ["ignore", log, log, ...channel] }));
    } finally {
      if (log !== "ignore") closeSync(log);
    }
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended; undefined while it runs. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Sends a signal to this very process, if it is still there. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it without warning, as a crash does; resolves when it is gone. */
  kill(): Promise<Ending> {
    this.signal("SIGKILL");
    return this.exited;
  }

  /** Processor time that it has used so far, in microseconds; NaN where there is no /proc, and once it is gone. */
  async cpuUs(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, "utf8").catch(() => "");
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return ((user ?? Number.NaN) + (system ?? Number.NaN)) * TICK_US;
  }
}
