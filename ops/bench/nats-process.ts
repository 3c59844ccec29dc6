/**
 * A NATS server with JetStream for the benchmarks, from the PATH, in a temporary folder; and what it has used so far.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { pause } from "../../runtime/storage/pause.ts";

const START_MS = 10_000;
/** Length of a tick of the CPU times below /proc, on every Linux in use. */
const TICK_US = 10_000;

/** A server that runs. */
export class NatsProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts a server on a free port. @throws Error if there is no nats-server in the PATH */
  static async start(clock: Clock): Promise<NatsProcess> {
    const folder = await mkdtemp(join(tmpdir(), "maestro-bench-nats-"));
    const child = spawn("nats-server", ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder], { stdio: "ignore" });
    const failed = once(child, "error").then(([error]) => Promise.reject(error as Error));
    const port = await Promise.race([failed, portOf(folder, clock)]);
    failed.catch(() => undefined);
    return new NatsProcess(`nats://127.0.0.1:${port}`, child, folder);
  }

  /** CPU of the process, in microseconds; NaN where there is no /proc. */
  async cpuUs(): Promise<number> {
    if (process.platform !== "linux") return Number.NaN;
    const fields = (await readFile(`/proc/${this.#child.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function portOf(folder: string, clock: Clock): Promise<number> {
  const endMs = clock.monotonic() + START_MS;
  while (clock.monotonic() < endMs) {
    const file = (await readdir(folder)).find((name) => name.endsWith(".ports"));
    const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
    if (text.endsWith("}") || text.endsWith("}\n")) return Number(new URL((JSON.parse(text) as { nats: string[] }).nats[0] ?? "").port);
    await pause(20, clock);
  }
  throw new Error("the NATS server did not start");
}
