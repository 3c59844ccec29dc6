/**
 * Keeps a data folder to one node at a time. Owns the file `node.lock`, which names the process that holds it; a lock whose process is
 * gone is taken over. It is a guard against mistakes on one machine, not a fence: that is PostgreSQL's part.
 */
import { link, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MaestroError } from "../errors.ts";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** A lock that is held. */
export interface DataFolderLock {
  /** Gives the folder back. */
  release(): Promise<void>;
}

/** How often a lock that changes under our eyes is looked at again. */
const ATTEMPTS = 20;

/** Locks the folder for this process. @throws DATA_FOLDER_LOCKED */
export async function lockDataFolder(folder: string, random: Random): Promise<DataFolderLock> {
  const path = join(folder, "node.lock");
  const self = (await identify(process.pid)) ?? { pid: process.pid, start: "" };
  const text = JSON.stringify(self);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (await create(path, text, random)) return { release: () => unlink(path) };
    const holder = await holderOf(path);
    if (holder !== undefined && (await isAlive(holder.process))) throw locked(folder, holder.process.pid);
    if (holder !== undefined) await removeStale(path, holder.text, text, random);
  }
  throw locked(folder, "unknown");
}

/** Creates a file complete with its content, or answers false if it is there: a link, unlike a write, is never seen half done. */
async function create(path: string, text: string, random: Random): Promise<boolean> {
  const draft = `${path}.${newUuid(random)}`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** Removes the lock that was judged stale, and no other. Those who judge at once take turns by a second file, or one could remove what another made. */
async function removeStale(path: string, judged: string, self: string, random: Random): Promise<void> {
  const turn = `${path}.turn`;
  if (await create(turn, self, random)) {
    if ((await holderOf(path))?.text === judged) await unlink(path);
    await unlink(turn);
    return;
  }
  const holder = await holderOf(turn);
  if (holder !== undefined && !(await isAlive(holder.process))) await unlink(turn).catch(absent);
}

/** The process that a lock names, and the lock's text. Process 0, which nobody is, for a text that names none. */
async function holderOf(path: string): Promise<{ readonly text: string; readonly process: ProcessIdentity } | undefined> {
  const text = await readFile(path, "utf8").catch(absent);
  return text === undefined ? undefined : { text, process: parse(text) ?? { pid: 0, start: "" } };
}

async function isAlive(holder: ProcessIdentity): Promise<boolean> {
  if (holder.pid === 0) return false;
  const found = await identify(holder.pid);
  return found !== undefined && found.start === holder.start;
}

function parse(text: string): ProcessIdentity | undefined {
  try {
    const { pid, start } = JSON.parse(text) as Partial<ProcessIdentity>;
    return Number.isSafeInteger(pid) && typeof start === "string" ? { pid: Number(pid), start } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}

function locked(folder: string, pid: number | string): MaestroError {
  return new MaestroError("DATA_FOLDER_LOCKED", { facts: { folder, pid } });
}
