/** The port of the object store, on its adapters. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MaestroError } from "../../runtime/errors.ts";
import { systemRandom } from "../../runtime/random.ts";
import { FsObjectStore } from "../../runtime/storage/fs-object-store.ts";
import { MemoryObjectStore } from "../../runtime/storage/memory-object-store.ts";
import { runIdOn } from "../support/run-writes.ts";
import { objectStoreConformance } from "./object-store.ts";

describe("the object store in memory", () => {
  objectStoreConformance(async () => {
    const store = new MemoryObjectStore();
    return { store, damage: async (runId, name) => void store.objects.set(`${runId}/${name}`, Buffer.from("damaged")) };
  });
});

describe("the object store in a folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "maestro-objects-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  objectStoreConformance(async () => ({
    store: new FsObjectStore(join(folder, "objects"), systemRandom()),
    damage: async (runId, name) => {
      const path = join(folder, "objects", runId.slice(0, 6), runId, name);
      const bytes = await readFile(path);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
  }));

  it("says which folder takes no object, and goes on once it does", async () => {
    // A file where the folder should be: a user who may write everywhere meets this too.
    const objects = join(folder, "objects");
    await writeFile(objects, "");
    const store = new FsObjectStore(objects, systemRandom());
    const runId = runIdOn();
    await assert.rejects(store.put(runId, Buffer.from("12345")), (error: MaestroError) => {
      assert.deepEqual([error.code, error.retryable, error.facts.folder, error.facts.bytes], ["OBJECT_NOT_STORED", true, objects, 5]);
      assert.match(error.message, /objects can't take 5 bytes.*ENOTDIR/);
      return true;
    });
    await rm(objects);
    assert.deepEqual(await store.get(runId, await store.put(runId, Buffer.from("12345"))), Buffer.from("12345"));
  });

  it("leaves nothing but the objects behind, which nobody else may read", async () => {
    const store = new FsObjectStore(folder, systemRandom());
    const runId = runIdOn();
    const name = await store.put(runId, Buffer.from("x"));
    const runFolder = join(folder, runId.slice(0, 6), runId);
    assert.deepEqual(await readdir(runFolder), [name]);
    if (process.platform === "win32") return;
    for (const path of [runFolder, join(runFolder, name)]) assert.equal((await stat(path)).mode & 0o077, 0);
  });
});
