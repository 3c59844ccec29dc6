/** The embedded server: what it keeps, what it refuses, and what it makes of the remains of a node that was killed. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "../../runtime/clock.ts";
import type { MaestroError } from "../../runtime/errors.ts";
import { systemRandom } from "../../runtime/random.ts";
import { lockDataFolder } from "../../runtime/storage/data-folder-lock.ts";
import { type EmbeddedPg, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import { commandAs } from "../../runtime/storage/pg-binaries.ts";
import { requireSafeSettings } from "../../runtime/storage/pg-settings.ts";
import { exists, identify } from "../../runtime/storage/process-identity.ts";
import { execute, temporaryFolder } from "../support/pg-fixture.ts";

const NODE = fileURLToPath(new URL("../fixtures/embedded-pg-node.ts", import.meta.url));

describe("embedded PostgreSQL", function () {
  this.timeout(60_000);
  const servers: EmbeddedPg[] = [];

  const start = async (folder: string, settings: Readonly<Record<string, string>> = {}): Promise<EmbeddedPg> => {
    const server = await startEmbeddedPg({ folder, clock: systemClock(), random: systemRandom(), settings });
    servers.push(server);
    return server;
  };
  const fill = (server: EmbeddedPg) => execute(server.url, "CREATE TABLE kept AS SELECT 42 AS answer");
  const assertFilled = async (server: EmbeddedPg) => assert.deepEqual(await execute(server.url, "SELECT answer FROM kept"), [{ answer: 42 }]);

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  it("keeps its data, its password and nothing running over a stop", async () => {
    const folder = join(temporaryFolder(), "made", "by", "it");
    const first = await start(folder);
    const { pid, url } = first;
    await fill(first);
    await first.stop();
    assert.equal(exists(pid ?? 0), false);
    const second = await start(folder);
    await assertFilled(second);
    assert.equal(new URL(second.url).password, new URL(url).password);
    assert.equal((await stat(join(folder, "postgres.secret"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, "postgres"))).mode & 0o777, 0o700);
  });

  it("asks for its password", async () => {
    const url = new URL((await start(join(temporaryFolder(), "data"))).url);
    url.password = "wrong";
    await assert.rejects(execute(url.href, "SELECT 1"), (error: MaestroError) => {
      return error.code === "DATABASE_UNAVAILABLE" && error.message.includes(url.host) && !error.message.includes("wrong@");
    });
  });

  it("is safe as it comes, and refused by name when it is not", async () => {
    await requireSafeSettings((await start(join(temporaryFolder(), "data"))).url);
    const unsafe = await start(join(temporaryFolder(), "data"), { full_page_writes: "off" });
    await assert.rejects(requireSafeSettings(unsafe.url), (error: MaestroError) => {
      return error.code === "DATABASE_UNSAFE" && error.facts.setting === "full_page_writes";
    });
  });

  it("refuses a folder that another node holds, and names its process", async () => {
    const folder = join(temporaryFolder(), "data");
    await start(folder);
    await assert.rejects(start(folder), (error: MaestroError) => error.code === "DATA_FOLDER_LOCKED" && error.facts.pid === process.pid);
  });

  it("takes over from a node that was killed, and ends the server that it left behind", async () => {
    const folder = join(temporaryFolder(), "data");
    const first = await start(folder);
    await fill(first);
    await first.stop();
    const node = spawn(process.execPath, [NODE, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(node.stdout, "data")) as [Buffer];
    const leftover = Number(line.toString());
    node.kill("SIGKILL");
    await once(node, "exit");
    assert.equal(exists(leftover), true);
    await assertFilled(await start(folder));
    assert.equal(await identify(leftover), undefined);
  });

  it("is not held up by a pid file and a lock whose numbers belong to other processes now", async () => {
    const folder = join(temporaryFolder(), "data");
    const first = await start(folder);
    await fill(first);
    await first.stop();
    await writeFile(join(folder, "postgres", "postmaster.pid"), `${process.pid}\n${folder}/postgres\n`);
    await writeFile(join(folder, "node.lock"), JSON.stringify({ pid: process.ppid, start: "another boot/1" }));
    await assertFilled(await start(folder));
  });

  it("begins anew after a crash in the middle of making the cluster", async () => {
    const folder = join(temporaryFolder(), "data");
    await mkdir(join(folder, "postgres.new", "base"), { recursive: true });
    await writeFile(join(folder, "postgres.new", "PG_VERSION"), "18\n");
    await fill(await start(folder));
  });

  it("says which version a folder is of that it can't open, and gives the folder back", async () => {
    const folder = join(temporaryFolder(), "data");
    await mkdir(join(folder, "postgres"), { recursive: true });
    await writeFile(join(folder, "postgres", "PG_VERSION"), "15\n");
    await assert.rejects(start(folder), (error: MaestroError) => error.code === "DATABASE_UNAVAILABLE" && error.message.includes("PostgreSQL 15"));
    await (await lockDataFolder(folder, systemRandom())).release();
  });

  it("says where to look when the server does not start", async () => {
    const folder = join(temporaryFolder(), "data");
    await assert.rejects(start(folder, { shared_buffers: "nonsense" }), (error: MaestroError) => error.message.includes("postgres.log"));
    assert.match(await readFile(join(folder, "postgres.log"), "utf8"), /nonsense/);
  });

  it("gives a lock whose holder died to one of many that want it", async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, "node.lock"), "rubbish");
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataFolder(folder, systemRandom())));
    const codes = results.map((result) => (result.status === "fulfilled" ? "held" : (result.reason as MaestroError).code));
    assert.deepEqual(codes.sort(), [...Array.from({ length: 19 }, () => "DATA_FOLDER_LOCKED"), "held"]);
  });

  if (process.getuid?.() === 0) {
    it("reaches a program and files where only root may enter", async () => {
      const file = join(temporaryFolder(), "program.sh");
      await writeFile(file, "#!/bin/sh\ncat $0", { mode: 0o700 });
      const look = `process.getuid() === 65534 || process.abort(); fs.accessSync(${JSON.stringify(file)}, fs.constants.X_OK)`;
      const command = commandAs({ uid: 65_534, gid: 65_534 }, process.execPath, ["-e", look], [file]);
      await promisify(execFile)(command.file, [...command.args], { ...command.user });
    });

    for (const mode of [0o700, 0o711]) {
      it(`runs without root's rights when root starts it, in a folder of mode ${mode.toString(8)}`, async () => {
        const parent = temporaryFolder();
        await chmod(parent, mode);
        const server = await start(join(parent, "data"));
        await fill(server);
        const status = await readFile(`/proc/${server.pid}/status`, "utf8");
        assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
        // One capability for the folder that others can't enter, none for the other.
        assert.match(status, mode === 0o700 ? /^CapEff:\t0{15}2$/m : /^CapEff:\t0{16}$/m);
      });
    }
  }
});
