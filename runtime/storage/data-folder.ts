/**
 * Makes a node's data folder and finds out whether it can be worked in, quickly and whatever it is: a folder that does not exist, that is another one's, on a
 * full or read-only disk, or below a path like `/proc`, where nothing can be made.
 */
import { mkdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";

/** Longest time that a filesystem may take to answer, in milliseconds: one over a network may never. */
const ANSWER_MS = 10_000;

/** Others may pass through, which the unprivileged user of the database must, but not look. */
const MODE = 0o711;

/** Makes the folder unless it is there, and writes in it. @throws DATA_FOLDER_UNUSABLE */
export async function openDataFolder(folder: string, clock: Clock, random: Random): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.schedule(ANSWER_MS, () => late.reject(new Error(`its filesystem has not answered for ${ANSWER_MS} ms`)));
  try {
    await Promise.race([makeAndTry(resolve(folder), random), late.promise]);
  } catch (cause) {
    throw new MaestroError("DATA_FOLDER_UNUSABLE", { facts: { folder, reason: messageOf(cause) }, cause });
  } finally {
    cancel();
  }
}

async function makeAndTry(folder: string, random: Random): Promise<void> {
  await make(folder);
  const probe = join(folder, `probe-${newUuid(random)}`);
  await writeFile(probe, "");
  await unlink(probe);
}

/** Makes a folder and those above it, one by one: Node's own way of doing that never ends where the system denies that a folder which is there exists. */
async function make(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) await make(parent);
  await mkdir(folder, { mode: MODE }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  throw new Error(`${path} is not a folder`);
}
