/**
 * Keeps a data folder to one node at a time. Owns the file `node.lock`, which names the process that holds it; a lock whose process is
 * gone is taken over. It is a guard against mistakes on one machine, not a fence: that is PostgreSQL's part.
 */
import { link, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MaestroError } from "../errors.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** A lock that is held. */
export interface DataFolderLock {
  /** Gives the folder back. */
  release(): Promise<void>;
}

/** How often a lock that changes under our eyes is looked at again. */
const ATTEMPTS = 5;

/** Locks the folder for this process. @throws DATA_FOLDER_LOCKED */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const path = join(folder, "node.lock");
  const self = (await identify(process.pid)) ?? { pid: process.pid, start: "" };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (await create(path, self)) return { release: () => unlink(path) };
    const text = await readFile(path, "utf8").catch(absent);
    if (text === undefined) continue;
    const holder = parse(text);
    if (holder !== undefined && (await isAlive(holder))) throw locked(folder, holder.pid);
    await removeStale(path, text, self.pid);
  }
  throw locked(folder, "unknown");
}

/** Creates the lock complete with its content, or answers false: a link, unlike a write, is never seen half done. */
async function create(path: string, self: ProcessIdentity): Promise<boolean> {
  const draft = `${path}.${self.pid}`;
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
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

/** Removes the lock that was judged stale, and no other: if a quicker process replaced it meanwhile, that one is put back. */
async function removeStale(path: string, judged: string, pid: number): Promise<void> {
  const aside = `${path}.stale.${pid}`;
  await rename(path, aside).catch(absent);
  const text = await readFile(aside, "utf8").catch(absent);
  if (text === undefined) return;
  if (text !== judged) await link(aside, path);
  await unlink(aside);
}

async function isAlive(holder: ProcessIdentity): Promise<boolean> {
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
