/**
 * Keeps a data folder to one node at a time. Owns the file `node.lock`, which names the process that holds it, and the socket on which that gives a sign of
 * life; a lock whose process is gone is taken over. It is a guard against mistakes on one machine, also between containers, and not a fence: that is
 * PostgreSQL's part.
 */
import { link, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MaestroError, messageOf } from "../errors.ts";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";
import { giveLifeSign, isGivingLifeSign, type LifeSign } from "./life-sign.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** A lock that is held. */
export interface DataFolderLock {
  /** Gives the folder back. */
  release(): Promise<void>;
}

/** What stands in a lock. */
interface Holder extends ProcessIdentity {
  /** Name of its socket in the folder; empty where there can be none. Its process may be one that this one can't see. */
  readonly socket: string;
}

/** How often a lock that changes under our eyes is looked at again. */
const ATTEMPTS = 20;

/** Locks the folder for this process. @throws DATA_FOLDER_LOCKED, DATA_FOLDER_UNUSABLE */
export async function lockDataFolder(folder: string, random: Random): Promise<DataFolderLock> {
  const socket = `node-${newUuid(random)}.sock`;
  // Filesystems without sockets are rare, and there the process's number is what is left to tell by.
  const sign = await giveLifeSign(folder, socket, random).catch(() => undefined);
  try {
    const self = (await identify(process.pid)) ?? { pid: process.pid, start: "" };
    await take(folder, { ...self, socket: sign === undefined ? "" : socket }, random);
  } catch (error) {
    await sign?.close();
    if (error instanceof MaestroError) throw error;
    throw new MaestroError("DATA_FOLDER_UNUSABLE", { facts: { folder, reason: messageOf(error) }, cause: error });
  }
  return { release: () => release(folder, sign) };
}

async function release(folder: string, sign: LifeSign | undefined): Promise<void> {
  await unlink(join(folder, "node.lock"));
  await sign?.close();
}

async function take(folder: string, self: Holder, random: Random): Promise<void> {
  const path = join(folder, "node.lock");
  const text = JSON.stringify(self);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (await create(path, text, random)) return;
    const found = await lockAt(path);
    if (found === undefined) continue;
    if (await isAlive(folder, found.holder, random)) throw locked(folder, found.holder.pid);
    await removeStale(folder, found, text, random);
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
async function removeStale(folder: string, judged: Lock, self: string, random: Random): Promise<void> {
  const path = join(folder, "node.lock");
  const turn = `${path}.turn`;
  if (await create(turn, self, random)) {
    if ((await lockAt(path))?.text === judged.text) {
      await unlink(path);
      if (judged.holder.socket !== "") await unlink(join(folder, judged.holder.socket)).catch(absent);
    }
    await unlink(turn);
    return;
  }
  const found = await lockAt(turn);
  if (found !== undefined && !(await isAlive(folder, found.holder, random))) await unlink(turn).catch(absent);
}

interface Lock {
  readonly text: string;
  readonly holder: Holder;
}

/** A lock as it is. Its holder is process 0, which nobody is, if its text names none. */
async function lockAt(path: string): Promise<Lock | undefined> {
  const text = await readFile(path, "utf8").catch(absent);
  return text === undefined ? undefined : { text, holder: parse(text) ?? { pid: 0, start: "", socket: "" } };
}

async function isAlive(folder: string, { pid, start, socket }: Holder, random: Random): Promise<boolean> {
  const isThere = socket === "" ? undefined : await isGivingLifeSign(folder, socket, random);
  if (isThere !== undefined) return isThere;
  const found = pid === 0 ? undefined : await identify(pid);
  return found !== undefined && found.start === start;
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, start, socket = "" } = JSON.parse(text) as Partial<Holder>;
    const isSocket = socket === "" || /^node-[0-9a-f-]+\.sock$/.test(socket);
    return Number.isSafeInteger(pid) && typeof start === "string" && isSocket ? { pid: Number(pid), start, socket } : undefined;
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
