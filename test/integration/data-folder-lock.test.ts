/** Who holds a data folder, and who is told so: processes that see each other, and those in containers, which do not. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MaestroError } from "../../runtime/errors.ts";
import { systemRandom } from "../../runtime/random.ts";
import { lockDataFolder } from "../../runtime/storage/data-folder-lock.ts";
import { temporaryFolder } from "../support/pg-fixture.ts";

const HOLDER = fileURLToPath(new URL("../fixtures/data-folder-holder.ts", import.meta.url));
const random = systemRandom();
const lock = (folder: string) => lockDataFolder(folder, random);
const canUnshare = spawnSync("unshare", ["--pid", "--fork", "true"]).status === 0;

/** Makes a lock name a process that nobody here can see, as that of another container. */
async function hideProcess(folder: string): Promise<void> {
  const file = join(folder, "node.lock");
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), pid: 4_000_001, start: "elsewhere/1" }));
}

describe("the lock of a data folder", () => {
  it("is one node's at a time, and leaves nothing behind", async () => {
    const folder = temporaryFolder();
    const first = await lock(folder);
    await assert.rejects(lock(folder), { code: "DATA_FOLDER_LOCKED" });
    await first.release();
    await (await lock(folder)).release();
    assert.deepEqual(await readdir(folder), []);
  });

  it("holds as long as its holder gives a sign of life, though no process of that number can be seen", async () => {
    const folder = temporaryFolder();
    const first = await lock(folder);
    await hideProcess(folder);
    await assert.rejects(lock(folder), { code: "DATA_FOLDER_LOCKED", facts: { folder, pid: 4_000_001 } });
    await first.release();
    await (await lock(folder)).release();
  });

  it("works in a folder whose path is too long for a socket", async () => {
    const folder = join(temporaryFolder(), "f".repeat(200));
    await mkdir(folder);
    const first = await lock(folder);
    await hideProcess(folder);
    await assert.rejects(lock(folder), { code: "DATA_FOLDER_LOCKED" });
    await first.release();
    assert.deepEqual(await readdir(folder), []);
  });

  it("does not follow a socket's name out of the folder", async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, "node.lock"), JSON.stringify({ pid: process.pid, start: "x", socket: "../../tmp/some.sock" }));
    await (await lock(folder)).release();
  });

  it("says that a folder can't be used where no file can be made", async () => {
    await assert.rejects(lock("/proc/self"), (error: MaestroError) => error.code === "DATA_FOLDER_UNUSABLE");
  });

  for (const isElsewhere of canUnshare ? [false, true] : [false]) {
    it(`is taken over when its holder was killed, not before${isElsewhere ? ", also from another process namespace" : ""}`, async () => {
      const folder = temporaryFolder();
      const command = [process.execPath, HOLDER, folder];
      const [file = "", ...args] = isElsewhere ? ["unshare", "--pid", "--fork", "--kill-child", ...command] : command;
      const holder = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
      await once(holder.stdout, "data");
      await assert.rejects(lock(folder), { code: "DATA_FOLDER_LOCKED" });
      holder.kill("SIGKILL");
      await once(holder.stdout, "close");
      await (await lock(folder)).release();
      assert.deepEqual(await readdir(folder), []);
    });
  }
});
