/**
 * Real NATS servers for tests: `nats-server` from the PATH, or from Debian's package, which is installed if it is missing and this may be done. Each server has
 * a temporary folder and a free port of its own that it keeps over restarts.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { waitUntil } from "./wait-until.ts";

/** How a server is to be. */
export interface NatsServerOptions {
  /** Default: without. */
  readonly hasJetStream?: boolean;
  /** More lines of its configuration, such as `authorization { token: "x" }`. */
  readonly configuration?: string;
}

/** A server. */
export interface NatsServer {
  readonly port: number;
  /** `nats://127.0.0.1:port`. */
  readonly url: string;
  /** Kills it without warning, as a crash does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops the process without ending it (SIGSTOP): its connections stay open, and nothing answers. */
  freeze(): void;
  /** Lets a frozen process go on (SIGCONT). */
  thaw(): void;
  /** Starts it again on the same port after {@link kill}; `isWiped`: with nothing of what it had stored. */
  restart(isWiped?: boolean): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** Starts a server; resolves when it greets. Allow half a minute for the first call on a machine without the package. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-nats-"));
  const data = join(folder, "data");
  const configPath = join(folder, "server.conf");
  const write = (port: number): void => {
    const lines = [`host: "127.0.0.1"`, `port: ${port}`, `ports_file_dir: "${folder}"`, `log_file: "${join(folder, "log")}"`];
    if (options.hasJetStream === true) lines.push(`jetstream { store_dir: "${data}" }`);
    writeFileSync(configPath, `${[...lines, options.configuration ?? ""].join("\n")}\n`);
  };
  let child = launch(configPath, () => write(-1));
  const port = await waitUntil("the NATS server to name its port", () => readPort(folder));
  await greeted(port);
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    kill: () => end(child, "SIGKILL"),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async restart(isWiped = false) {
      await end(child, "SIGKILL");
      if (isWiped) rmSync(data, { recursive: true, force: true });
      child = launch(configPath, () => write(port));
      await greeted(port);
    },
    async close() {
      await end(child, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function launch(configPath: string, prepare: () => void): ChildProcess {
  prepare();
  const child = spawn(binary(), ["-c", configPath], { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.removeListener("exit", kill));
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await waitUntil("the NATS server to end", () => child.exitCode !== null || child.signalCode !== null);
}

/** The port in the file that a server writes when it has one, or undefined while it has not. */
function readPort(folder: string): number | undefined {
  const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
  if (file === undefined) return undefined;
  const { nats } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { nats: string[] };
  return Number(new URL(nats[0] ?? "").port);
}

async function greeted(port: number): Promise<void> {
  await waitUntil("the NATS server to greet", () => greets(port));
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

let found: string | undefined;

function binary(): string {
  found ??= find() ?? install();
  return found;
}

function find(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
}

function install(): string {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["update", "-qq"], { env: environment, stdio: "pipe" });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "nats-server"], { env: environment, stdio: "pipe" });
  } catch (cause) {
    throw new Error("these tests need nats-server in the PATH, and it could not be installed with apt-get", { cause });
  }
  const path = find();
  if (path === undefined) throw new Error("the package nats-server was installed, but has no program of that name");
  return path;
}
