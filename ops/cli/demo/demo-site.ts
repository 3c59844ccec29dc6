/**
 * The site that the demo releases to: a folder with the releases of the example service, the first of them running, and a front before them.
 * Owns these processes: what it started, or what an earlier demo that was killed left behind, it ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../../runtime/clock.ts";
import { pause } from "../../../runtime/storage/pause.ts";
import { startProcess, stopProcess } from "../../examples/delivery/service-process.ts";

/** Folder of the examples. */
export const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
/** Source of the service that is released. */
export const SERVICE_SOURCE = join(EXAMPLES, "parcel-quotes", "service");

/** Programs of the examples have the suffix that this file has: `.ts`, or `.js` in a published package. */
const SUFFIX = import.meta.url.slice(-3);
const POLL_MS = 20;
const FRONT_START_MS = 10_000;

interface FrontNote {
  readonly port: number;
  readonly pid: number;
  readonly instance: string;
}

/** A site. */
export class DemoSite {
  readonly folder: string;
  readonly #clock: Clock;
  readonly #instance: string;

  /** `instance` is a name that no other demo has. */
  constructor(folder: string, clock: Clock, instance: string) {
    this.folder = folder;
    this.#clock = clock;
    this.#instance = instance;
  }

  /** Clears the folder, starts a first version of the service and the front. Answers the front's URL. */
  async open(version: string): Promise<string> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
    const release = join(this.folder, `release-${version}`);
    mkdirSync(release, { recursive: true });
    await run([join(EXAMPLES, "delivery", `strip-types${SUFFIX}`), SERVICE_SOURCE, release]);
    writeFileSync(join(release, "package.json"), JSON.stringify({ name: "parcel-quotes", version, type: "module" }));
    const { port } = await startProcess({ release, main: join(release, "src", "main.js"), version, instance: `${this.#instance}-first` });
    writeFileSync(join(this.folder, "current.json"), JSON.stringify({ version, port, release }));
    return this.#openFront();
  }

  /** Ends all processes of the site. */
  async close(): Promise<void> {
    const front = this.#frontNote();
    rmSync(this.#noteFile(), { force: true });
    if (front !== undefined && (await isFront(front))) process.kill(front.pid, "SIGTERM");
    for (const release of globSync("release-*", { cwd: this.folder })) await stopProcess(join(this.folder, release));
  }

  async #openFront(): Promise<string> {
    const args = [join(EXAMPLES, "delivery", `front${SUFFIX}`), this.folder, this.#instance];
    spawn(process.execPath, args, { detached: true, stdio: "ignore" }).unref();
    for (const endMs = this.#clock.monotonic() + FRONT_START_MS; this.#clock.monotonic() < endMs; await pause(POLL_MS, this.#clock)) {
      const note = this.#frontNote();
      if (note?.instance === this.#instance) return `http://127.0.0.1:${note.port}`;
    }
    throw new Error(`the front did not listen within ${FRONT_START_MS} ms`);
  }

  #frontNote(): FrontNote | undefined {
    const file = this.#noteFile();
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as FrontNote) : undefined;
  }

  #noteFile(): string {
    return join(this.folder, "front.json");
  }
}

/** True if the process behind a note is still the front, and not another one that was given its port. */
async function isFront({ port, instance }: FrontNote): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/front`, { headers: { connection: "close" } });
    return ((await answer.json()) as { instance?: string }).instance === instance;
  } catch {
    // Nobody listens there, or somebody who is not the front.
    return false;
  }
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${args[0]} exited with ${code}`))));
  });
}
