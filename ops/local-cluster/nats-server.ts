/**
 * A NATS server of this machine, for the cluster of `maestro dev`, for benchmarks and for tests: started on a free port that it keeps, with a folder
 * that it keeps, and ended, frozen or started again at will.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { identify, type ProcessIdentity } from "../../runtime/storage/process-identity.ts";
import { awaited } from "./awaited.ts";
import { findNatsProgram } from "./nats-program.ts";
import { Program } from "./program.ts";

const START_MS = 20_000;

/** How a server is to be. */
export interface NatsServerOptions {
  readonly clock: Clock;
  /** Where it keeps its files; made if missing. Default: a temporary folder that {@link NatsServer.close} removes. */
  readonly folder?: string;
  /** Default: without. */
  readonly hasJetStream?: boolean;
  /** More lines of its configuration, such as `authorization { token: "x" }`. */
  readonly configuration?: string;
  /** Called before the program is installed because it is missing. Without it that is an error. */
  onInstall?(): void;
}

/** Starts a server; resolves when it greets. @throws PROGRAM_MISSING, PROGRAM_ENDED */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const binary = await findNatsProgram(options.onInstall);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "maestro-nats-")));
  await mkdir(folder, { recursive: true });
  const server = new NatsServer(options, folder, binary);
  await server.start();
  return server;
}

/** The server. */
export class NatsServer implements AsyncDisposable {
  readonly #options: NatsServerOptions;
  readonly #folder: string;
  readonly #binary: string;
  #port = 0;
  #program: Program | undefined;

  /** Use {@link startNatsServer}. */
  constructor(options: NatsServerOptions, folder: string, binary: string) {
    this.#options = options;
    this.#folder = folder;
    this.#binary = binary;
  }

  /** Port on 127.0.0.1. */
  get port(): number {
    return this.#port;
  }

  /** `nats://127.0.0.1:port`. */
  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** Its process, or the one that it had last. */
  get program(): Program {
    if (this.#program === undefined) throw new Error("the NATS server was not started");
    return this.#program;
  }

  /** File with what it says of itself. */
  get logPath(): string {
    return join(this.#folder, "log");
  }

  /** Starts its process, on the port that it had before. @throws PROGRAM_ENDED */
  async start(): Promise<void> {
    await this.#endLeftover();
    const configPath = join(this.#folder, "server.conf");
    await writeFile(configPath, this.#configuration());
    const program = Program.start({ file: this.#binary, args: ["-c", configPath], logPath: this.logPath });
    this.#program = program;
    if (program.pid !== undefined) await writeFile(this.#identityPath, JSON.stringify(await identify(program.pid)));
    this.#port = await this.#await("the NATS server to name its port", () => this.#namedPort());
    await this.#await("the NATS server to greet", async () => ((await greets(this.#port)) ? true : undefined));
  }

  /** Kills it without warning, as a crash does; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.program.kill();
  }

  /** Stops the process without ending it (SIGSTOP): its connections stay open, and nothing answers. */
  freeze(): void {
    this.program.signal("SIGSTOP");
  }

  /** Lets a frozen process go on (SIGCONT). */
  thaw(): void {
    this.program.signal("SIGCONT");
  }

  /** Kills it and starts it again on the same port; `isWiped`: with nothing of what it had stored. */
  async restart(isWiped = false): Promise<void> {
    await this.kill();
    if (isWiped) await rm(this.#dataPath, { recursive: true, force: true });
    await this.start();
  }

  /** Ends it in order; removes its folder if it is a temporary one. */
  async close(): Promise<void> {
    const { program } = this;
    program.signal("SIGCONT");
    program.signal("SIGTERM");
    const cancel = this.#options.clock.schedule(START_MS, () => program.signal("SIGKILL"));
    await program.exited;
    cancel();
    await rm(this.#identityPath, { force: true });
    if (this.#options.folder === undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #dataPath(): string {
    return join(this.#folder, "data");
  }

  get #identityPath(): string {
    return join(this.#folder, "process.json");
  }

  #configuration(): string {
    const { hasJetStream, configuration = "" } = this.#options;
    const lines = [`host: "127.0.0.1"`, `port: ${this.#port === 0 ? -1 : this.#port}`, `ports_file_dir: "${this.#folder}"`];
    if (hasJetStream === true) lines.push(`jetstream { store_dir: "${this.#dataPath}" }`);
    return `${[...lines, configuration].join("\n")}\n`;
  }

  /** One that was left behind by a process that was killed must not write into the same files. */
  async #endLeftover(): Promise<void> {
    const text = await readFile(this.#identityPath, "utf8").catch(() => "null");
    const left = JSON.parse(text) as ProcessIdentity | null;
    if (left === null || left.start === "" || (await identify(left.pid))?.start !== left.start) return;
    process.kill(left.pid, "SIGKILL");
    await awaited(
      "the end of a NATS server that was left behind",
      async () => ((await identify(left.pid)) === undefined ? true : undefined),
      START_MS,
      this.#options.clock,
    );
  }

  /** The port in the file that a server writes when it has one, and removes when it ends; undefined while there is none. */
  async #namedPort(): Promise<number | undefined> {
    const file = (await readdir(this.#folder)).find((name) => name.endsWith(`_${this.program.pid}.ports`));
    if (file === undefined) return undefined;
    const text = await readFile(join(this.#folder, file), "utf8");
    if (!text.trimEnd().endsWith("}")) return undefined;
    const { nats } = JSON.parse(text) as { nats: string[] };
    return Number(new URL(nats[0] ?? "").port);
  }

  #await<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const lookOn = (): Promise<T | undefined> => {
      const { ending } = this.program;
      if (ending === undefined) return look();
      throw new MaestroError("PROGRAM_ENDED", { facts: { program: "nats-server", reason: ending.how, log: this.logPath } });
    };
    return awaited(what, lookOn, START_MS, this.#options.clock);
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (isGreeted: boolean): void => {
      socket.destroy();
      resolve(isGreeted);
    };
    socket.once("data", () => answer(true)).once("error", () => answer(false));
  });
}
