/**
 * Processes of the service that outlive the task, and the node, that started them. Each one leaves a note (port, process id, a name of its
 * own) in its release folder; whether a note is still true is found out by asking the port, never by the process id alone, which the
 * operating system may have given to somebody else.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A process that was started. */
export interface ServiceNote {
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  readonly instance: string;
}

/** What to start. */
export interface ServiceStart {
  /** Folder for the note and the output. */
  readonly release: string;
  /** Entry file. */
  readonly main: string;
  readonly version: string;
  readonly instance: string;
  /** Passed on as QUOTES_FAULT. */
  readonly fault?: string;
  readonly signal?: AbortSignal;
}

const POLL_MS = 20;
const START_TIMEOUT_MS = 10_000;

/** Starts the service as a process of its own, or answers the one that runs there already. */
export async function startProcess({ release, main, version, instance, fault, signal }: ServiceStart): Promise<ServiceNote> {
  const running = await runningProcess(release);
  if (running !== undefined) return running;
  mkdirSync(release, { recursive: true });
  rmSync(noteFile(release), { force: true });
  const output = openSync(join(release, "output.log"), "a");
  const env = { ...process.env, QUOTES_VERSION: version, QUOTES_INSTANCE: instance, QUOTES_READY_FILE: noteFile(release), QUOTES_FAULT: fault ?? "" };
  const child = spawn(process.execPath, [main], { cwd: release, detached: true, stdio: ["ignore", output, output], env });
  child.unref();
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; ) {
    if (signal?.aborted === true) child.kill();
    signal?.throwIfAborted();
    const note = readNote(release);
    if (note !== undefined) return note;
    if (child.exitCode !== null) throw new Error(`the service exited with ${child.exitCode}; see ${join(release, "output.log")}`);
    await pause(POLL_MS);
  }
  child.kill();
  throw new Error(`the service did not listen within ${START_TIMEOUT_MS} ms; see ${join(release, "output.log")}`);
}

/** Ends the process that was started in a release folder; answers false if there was none. */
export async function stopProcess(release: string): Promise<boolean> {
  const running = await runningProcess(release);
  rmSync(noteFile(release), { force: true });
  if (running === undefined) return false;
  process.kill(running.pid, "SIGTERM");
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await pause(POLL_MS)) {
    if (!(await isIt(running))) return true;
  }
  process.kill(running.pid, "SIGKILL");
  return true;
}

/** The process of a release folder, if it still runs. */
export async function runningProcess(release: string): Promise<ServiceNote | undefined> {
  const note = readNote(release);
  return note !== undefined && (await isIt(note)) ? note : undefined;
}

async function isIt(note: ServiceNote): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${note.port}/version`, { signal: AbortSignal.timeout(2_000), headers: { connection: "close" } });
    return ((await answer.json()) as { instance?: string }).instance === note.instance;
  } catch {
    // Nobody listens there, or somebody who is not the service.
    return false;
  }
}

function readNote(release: string): ServiceNote | undefined {
  return existsSync(noteFile(release)) ? (JSON.parse(readFileSync(noteFile(release), "utf8")) as ServiceNote) : undefined;
}

function noteFile(release: string): string {
  return join(release, "process.json");
}
