/**
 * A node of this machine in a process of its own, as `maestro start` runs it, on ports that it keeps. It can be stopped, killed, frozen and started again.
 */
import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { formatAddress } from "../../gateway/address.ts";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { Config } from "../config.ts";
import { awaited } from "./awaited.ts";
import { environmentOf } from "./node-settings.ts";
import { type Ending, Program } from "./program.ts";

const ENTRY = fileURLToPath(new URL("./node-entry.ts", import.meta.url));
/** A start may have to recover a database, and every run of a node that was lost. */
const START_MS = 330_000;
/** Bytes at the end of a log in which the reason of a failed start is looked for. */
const LOG_END_BYTES = 16 * 1024;

/** How a node is to be. */
export interface LocalNodeOptions {
  /** Its settings; ports are stated ones. */
  readonly config: Config;
  readonly clock: Clock;
  /** The environment that its own begins with. Its `MAESTRO_` variables are left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** File that its log is appended to. */
  readonly logPath: string;
  /** Flags of Node.js. */
  readonly flags?: readonly string[];
}

/** The node. */
export class LocalNode {
  readonly name: string;
  /** `host:port` of its gateway. */
  readonly address: string;
  readonly opsPort: number;
  readonly logPath: string;
  readonly #options: LocalNodeOptions;
  #program: Program | undefined;
  #isReady = false;

  constructor(options: LocalNodeOptions) {
    const { nodeName, grpcHost, grpcPort, opsPort } = options.config;
    this.name = nodeName;
    this.address = formatAddress(grpcHost, grpcPort);
    this.opsPort = opsPort;
    this.logPath = options.logPath;
    this.#options = options;
  }

  /** Its process, or the one that it had last; undefined before the first start. */
  get program(): Program | undefined {
    return this.#program;
  }

  /** True from when it said that it is ready until its process has ended. */
  get isReady(): boolean {
    return this.#isReady && this.#program?.ending === undefined;
  }

  /** Starts its process; resolves when it is ready, with the milliseconds that this took. @throws PROGRAM_ENDED, TIMED_OUT */
  async start(): Promise<number> {
    const { clock, config, env, flags = [] } = this.#options;
    const startedAtMs = clock.monotonic();
    this.#isReady = false;
    const program = Program.start({
      ...{ file: process.execPath, args: [...flags, ENTRY, "start"], env: environmentOf(config, env), logPath: this.logPath, hasChannel: true },
    });
    this.#program = program;
    await awaited(`the start of node ${this.name}`, () => this.#look(program), START_MS, clock);
    this.#isReady = true;
    return clock.monotonic() - startedAtMs;
  }

  /** Asks it to end in order (SIGTERM), also if it was frozen; resolves when it is gone. */
  async stop(): Promise<Ending | undefined> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    return this.#program?.exited;
  }

  /** Kills it without warning (SIGKILL); resolves when it is gone. */
  async kill(): Promise<Ending | undefined> {
    return this.#program?.kill();
  }

  /** Sends a signal to its process, if it is there. */
  signal(signal: NodeJS.Signals): void {
    this.#program?.signal(signal);
  }

  async #look(program: Program): Promise<true | undefined> {
    if (program.ending !== undefined) {
      const reason = (await this.#lastWords()) ?? program.ending.how;
      throw new MaestroError("PROGRAM_ENDED", { facts: { program: `Node ${this.name}`, reason, log: this.logPath } });
    }
    return (await isReady(this.#options.config.opsHost, this.opsPort)) ? true : undefined;
  }

  /** What it complained about when it ended: the last lines of its log that are no entries. */
  async #lastWords(): Promise<string | undefined> {
    await using file = await open(this.logPath);
    const { size } = await file.stat();
    const position = Math.max(0, size - LOG_END_BYTES);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(LOG_END_BYTES), position });
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    const words = lines.slice(lines.findLastIndex((line) => line.startsWith("{")) + 1);
    return words.length === 0 ? undefined : words.join(" ");
  }
}

async function isReady(host: string, port: number): Promise<boolean> {
  try {
    return (await fetch(`http://${formatAddress(host, port)}/readyz`)).ok;
  } catch {
    // Nobody listens there yet.
    return false;
  }
}
