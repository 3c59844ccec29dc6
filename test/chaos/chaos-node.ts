/**
 * A node of the crash tests: `maestro start` in a process of its own, started again and again on the same data. Owns the record of its boots, which is
 * what side effects are judged by.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { checkHealth } from "../support/grpc-peer.ts";
import { MaestroProcess } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { LoadTarget } from "./load.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/recorded-handlers", import.meta.url));

const HOST = "127.0.0.1";

/** Longest time for a start, in milliseconds. */
const START_MS = 120_000;

/** One process of a node. */
export interface Boot {
  readonly pid: number;
  /** When it was killed or stopped for good, on the machine's clock; Infinity while it lives. */
  cutAtMs: number;
}

/** How a node is run. */
export interface ChaosNodeOptions {
  /** Its working directory, with its data folder and the file of side effects. */
  readonly folder: string;
  /** URL of a server of somebody else's. Default: the node's own server. */
  readonly pgUrl?: string;
  readonly nodeName?: string;
  readonly handlers?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More options of the command. */
  readonly args?: readonly string[];
  /** Where its servers listen. Default: 127.0.0.1. */
  readonly host?: string;
  /** A command that its own is put behind. */
  readonly prefix?: readonly string[];
}

/** The file in which handlers leave their traces, in a node's folder. */
export function effectsFile(folder: string): string {
  return join(folder, "effects.log");
}

/** The node. */
export class ChaosNode implements LoadTarget {
  readonly boots: Boot[] = [];
  readonly #options: ChaosNodeOptions;
  readonly #clock = systemClock();
  #process: MaestroProcess | undefined;
  #address = Promise.withResolvers<string>();
  #isReady = false;

  constructor(options: ChaosNodeOptions) {
    this.#options = options;
  }

  /** Resolves with the gateway's address once there is one. */
  address(): Promise<string> {
    return this.#address.promise;
  }

  /** The process that runs, or ran last. */
  get process(): MaestroProcess {
    if (this.#process === undefined) throw new Error("the node was never started");
    return this.#process;
  }

  /** The database that it uses. */
  get pgUrl(): string {
    return this.#options.pgUrl ?? urlOfEmbedded(join(this.#options.folder, "data"));
  }

  /** Starts a process, without waiting for it. */
  launch(): void {
    const { folder, pgUrl, nodeName = "chaos", handlers = HANDLERS, args = [], env, prefix = [], host = HOST } = this.#options;
    const ports = ["--grpc-port", "0", "--ops-port", "0", "--grpc-host", host, "--ops-host", host];
    this.#process = new MaestroProcess(
      ["start", ...ports, "--threads", "2", "--data", "data", "--node-name", nodeName, "--handlers", handlers, ...args],
      { cwd: folder, prefix, env: { ...env, CHAOS_EFFECTS: effectsFile(folder), ...(pgUrl !== undefined && { MAESTRO_PG_URL: pgUrl }) } },
    );
    this.boots.push({ pid: this.#process.pid ?? 0, cutAtMs: Number.POSITIVE_INFINITY });
  }

  /** Waits until the process that was launched is ready. Recovery of a database may take a while. @throws Error it ended instead. */
  async ready(): Promise<void> {
    const { process: launched } = this;
    await waitUntil("the start of the node, or its end", () => launched.isOver || launched.stdout.includes('"the node is ready"'), START_MS);
    if (launched.isOver) throw new Error(`the node ended instead of being ready: ${launched.stdout}\n${launched.stderr}`);
    this.#address.resolve(await launched.ready());
    this.#isReady = true;
  }

  /** Starts a process and waits until it is ready. */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Kills the process, without warning, and waits until it is gone. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.gone();
  }

  /** Waits until the process has ended by whatever was done to it. */
  async gone(): Promise<void> {
    await this.process.ended();
    this.cut();
  }

  /** From now on the process counts as dead, and clients wait for the next. */
  cut(): void {
    const boot = this.boots.at(-1);
    if (boot !== undefined && boot.cutAtMs === Number.POSITIVE_INFINITY) boot.cutAtMs = this.#clock.now();
    // Who waits for a process that was killed before it was ready waits for the next.
    if (this.#isReady) this.#address = Promise.withResolvers();
    this.#isReady = false;
  }

  /** Stops in order. */
  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.gone();
  }

  /** Ends whatever is left of it, its own server included. */
  destroy(): void {
    const { folder, pgUrl } = this.#options;
    this.#process?.kill("SIGKILL");
    if (pgUrl === undefined) endServer(join(folder, "data"));
  }

  /** What the ops server answers under a path: status and text. */
  async ops(path: string): Promise<{ readonly status: number; readonly text: string }> {
    if (this.process.isOver) throw new Error(`the node has ended: ${this.process.stdout.slice(-2_000)}\n${this.process.stderr.slice(-4_000)}`);
    const line = this.process.stdout.split("\n").find((text) => text.includes('"the node is ready"'));
    const { opsPort } = JSON.parse(line ?? "{}") as { opsPort?: number };
    const response = await fetch(`http://${this.#options.host ?? HOST}:${opsPort}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** True or false if `/readyz` and the gateway's health service say so, and a complaint if they say different things twice in a row. */
  async isReady(): Promise<boolean> {
    for (let looks = 1; ; looks += 1) {
      const [{ status, text }, health] = await Promise.all([this.ops("/readyz"), checkHealth(await this.address(), "")]);
      if ((status === 200) === (health === "SERVING")) return status === 200;
      if (looks === 2) throw new Error(`/readyz says ${status} ${text}, the gateway's health service ${health}`);
    }
  }

  /** A figure of the metrics page, summed over its labels; 0 if it is not there. */
  async metric(name: string): Promise<number> {
    const { text } = await this.ops("/metrics");
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  /** Resolves after a random or fixed number of milliseconds. */
  pause(durationMs: number): Promise<void> {
    return pause(durationMs, this.#clock);
  }
}

/** Ends the server of a data folder, if there is one. */
function endServer(folder: string): void {
  try {
    process.kill(postmasterOf(folder), "SIGQUIT");
  } catch (error) {
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Process id of the server of a data folder. */
export function postmasterOf(folder: string): number {
  return Number(readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
}

function urlOfEmbedded(folder: string): string {
  const port = readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8").split("\n")[3];
  return `postgres://maestro:${readFileSync(join(folder, "postgres.secret"), "utf8")}@127.0.0.1:${port}/maestro`;
}
