/** The port of the object store, on its adapters. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
