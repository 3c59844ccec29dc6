/**
 * Unpacks a package and starts the version in it on a free port, beside the one that serves.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { defineTask, TaskError } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { runningProcess, startProcess, stopProcess } from "../delivery/service-process.ts";
import { unpackFiles } from "../delivery/tar-archive.ts";

interface Input {
  readonly archive: string;
  readonly sha256: string;
  readonly release: string;
  readonly version: string;
  readonly failAt?: string;
}

interface Started {
  readonly release: string;
  readonly version: string;
  readonly port: number;
  readonly pid: number;
  readonly url: string;
}

/** `start-version`: where the new version listens. A second attempt finds the process of the first. */
export const startVersion = defineTask<Input, Started>({
  name: "start-version",
  startToCloseMs: 30_000,
  async run({ archive, sha256, release, version, failAt }, { signal, idempotencyKey }) {
    failIfAsked(failAt, "start");
    const running = await runningProcess(release);
    if (running === undefined) unpack(archive, sha256, release);
    else if (running.instance !== idempotencyKey) throw new TaskError(`version ${version} runs already, from another run`, { retryable: false });
    const fault = failAt === "health" ? { fault: "health" } : {};
    const note = await startProcess({ release, main: join(release, "src", "main.js"), version, instance: idempotencyKey, signal, ...fault });
    return { release, version, port: note.port, pid: note.pid, url: `http://127.0.0.1:${note.port}` };
  },
});

/** `stop-version` undoes `start-version`. */
export const stopVersion = defineTask<{ readonly output: Started }, { stopped: boolean }>({
  name: "stop-version",
  async run({ output }) {
    const stopped = await stopProcess(output.release);
    rmSync(output.release, { recursive: true, force: true });
    return { stopped };
  },
});

function unpack(archive: string, sha256: string, release: string): void {
  const bytes = readFileSync(archive);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256)
    throw new TaskError(`${archive} was changed after it was packed: its checksum is ${found}, not ${sha256}`, { retryable: false });
  rmSync(release, { recursive: true, force: true });
  for (const { path, content } of unpackFiles(gunzipSync(bytes))) {
    mkdirSync(dirname(join(release, path)), { recursive: true });
    writeFileSync(join(release, path), content);
  }
}
