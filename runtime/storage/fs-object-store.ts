/**
 * The object store in a folder: `<folder>/<first 6 digits of the run's id>/<run>/<name>`. The first digits are time, so that a folder holds
 * the runs of about four and a half hours. For one node with a data folder of its own, or for nodes
 * that share the folder: names are digests, and a file is whole when it has its name.
 */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MaestroError, messageOf } from "../errors.ts";
import { newUuid, type RunId } from "../ids.ts";
import type { Random } from "../random.ts";
import { type ObjectStore, objectName } from "./object-store.ts";

const NAME = /^[0-9a-f]{64}$/;

/** The store. */
export class FsObjectStore implements ObjectStore {
  readonly #folder: string;
  readonly #random: Random;

  /** `folder` is made when it is needed. */
  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  /** @throws OBJECT_NOT_STORED */
  async put(runId: RunId, bytes: Uint8Array): Promise<string> {
    try {
      return await this.#write(runId, bytes);
    } catch (cause) {
      throw new MaestroError("OBJECT_NOT_STORED", { facts: { folder: this.#folder, bytes: bytes.length, reason: messageOf(cause) }, cause });
    }
  }

  async get(runId: RunId, name: string): Promise<Uint8Array | undefined> {
    if (!NAME.test(name)) return undefined;
    const bytes = await readFile(join(this.#folderOf(runId), name)).catch(absent);
    return bytes !== undefined && objectName(bytes) === name ? bytes : undefined;
  }

  async removeRun(runId: RunId): Promise<void> {
    await rm(this.#folderOf(runId), { recursive: true, force: true });
  }

  /** A file appears under its name only when its content is on the disk; its name is on the disk when this returns. */
  async #write(runId: RunId, bytes: Uint8Array): Promise<string> {
    const name = objectName(bytes);
    const folder = this.#folderOf(runId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = join(folder, `${name}.${newUuid(this.#random)}.new`);
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, join(folder, name));
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    // All of them, whoever made them: another one that is at it may not have come to this yet.
    await syncFolders(folder, dirname(this.#folder));
    return name;
  }

  #folderOf(runId: RunId): string {
    return join(this.#folder, runId.slice(0, 6), runId);
  }
}

/** Writes the entries of `folder` and the folders above it, up to `last`, to the disk. */
async function syncFolders(folder: string, last: string): Promise<void> {
  // Windows can't open folders, and keeps their entries by itself.
  if (process.platform === "win32") return;
  for (let path = folder; ; path = dirname(path)) {
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
    if (path === last || path === dirname(path)) return;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
