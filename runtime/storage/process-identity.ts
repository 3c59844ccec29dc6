/**
 * Tells whether a process that left a file behind still lives, although the system may have given its number to another one since.
 */
import { readFile, readlink } from "node:fs/promises";

/** A process, recognisable after its number was reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot of the machine and start time of the process; empty where the system doesn't tell (anything but Linux). */
  readonly start: string;
}

/** The identity of a process that exists, or undefined. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (!exists(pid)) return undefined;
  if (process.platform !== "linux") return { pid, start: "" };
  try {
    const [boot, stat] = await Promise.all([readFile("/proc/sys/kernel/random/boot_id", "utf8"), readFile(`/proc/${pid}/stat`, "utf8")]);
    // The fields after the command's name, which stands in brackets and may hold anything: state is the 1st, start time the 20th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    return { pid, start: `${boot.trim()}/${fields[19]}` };
  } catch (error) {
    if (!exists(pid)) return undefined;
    throw error;
  }
}

/** True if a process of that number exists. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The working folder of a process, or undefined if it is gone, is somebody else's, or the system doesn't tell. */
export async function workingFolderOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined);
}
