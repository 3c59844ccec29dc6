/**
 * A PostgreSQL server of the node's own, for the default without configuration: real PostgreSQL, the same journal code and the same SQL as
 * in production. Owns the server's process and the lock of the data folder. If the server dies it is started again on the same port; the
 * journal's lanes wait meanwhile. A node that is killed leaves the server behind; the next start on the folder stops it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { Random } from "../random.ts";
import { openDataFolder } from "./data-folder.ts";
import { type DataFolderLock, lockDataFolder } from "./data-folder-lock.ts";
import { pause } from "./pause.ts";
import { commandAs, findBinaries, type PgBinaries, type Unprivileged, unprivilegedUser } from "./pg-binaries.ts";
import { type ClusterPaths, clusterPaths, failed, initCluster, openLog, pgEnvironment, readSecret, SUPERUSER } from "./pg-cluster.ts";
import { connectPg } from "./pg-connection.ts";
import { readPostmaster, stopLeftover } from "./pg-leftover.ts";

/** What the server is made from. */
export interface EmbeddedPgOptions {
  /** The node's data folder; made if missing. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events?: EventHub;
  /** Server settings that replace the defaults below. For tests and benchmarks. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Settings for a small machine whose node is the only client. Durability is left as it is by default: on. */
const SETTINGS: Readonly<Record<string, string | number>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: 40,
  shared_buffers: "128MB",
  // Fewer checkpoints write fewer full pages; recovery after a crash still takes seconds.
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  wal_buffers: "16MB",
  // Only the full pages after a checkpoint. The binaries know no faster method on every platform.
  wal_compression: "on",
  // The journal's tables take every commit: vacuum looks often and does little each time.
  autovacuum_naptime: "15s",
  io_method: "sync",
  log_checkpoints: "off",
  log_min_messages: "warning",
  timezone: "UTC",
};

/** Name of the database. */
const DATABASE = "maestro";

/** Longest time for a start, in milliseconds: recovery after a crash may take this long. */
const START_MS = 300_000;
/** Milliseconds to wait for a fast shutdown before an immediate one. */
const STOP_MS = 60_000;
/** Milliseconds between two looks whether the server is ready. */
const POLL_MS = 10;
/** First and longest delay before a server that died is started again, in milliseconds. */
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 10_000;

/** Starts the server on a folder. @throws DATA_FOLDER_UNUSABLE, DATA_FOLDER_LOCKED, DATABASE_UNAVAILABLE */
export async function startEmbeddedPg(options: EmbeddedPgOptions): Promise<EmbeddedPg> {
  await openDataFolder(options.folder, options.clock, options.random);
  const lock = await lockDataFolder(options.folder, options.random);
  // The clock's timers don't keep the process alive, and while it starts nothing else may.
  const { port1: alive } = new MessageChannel();
  alive.ref();
  try {
    const paths = clusterPaths(options.folder);
    const binaries = await findBinaries();
    const user = unprivilegedUser(options.folder);
    const secret = await readSecret(paths, options.random);
    await initCluster(paths, binaries, user, secret);
    await stopLeftover(paths.data, options.clock);
    const server = new EmbeddedPg({ options, lock, paths, binaries, user, secret, port: await freePort() });
    await server.launch();
    await server.createDatabase();
    return server;
  } catch (error) {
    await lock.release();
    throw error;
  } finally {
    alive.close();
  }
}

interface Parts {
  readonly options: EmbeddedPgOptions;
  readonly lock: DataFolderLock;
  readonly paths: ClusterPaths;
  readonly binaries: PgBinaries;
  readonly user: Unprivileged | undefined;
  readonly secret: string;
  readonly port: number;
}

/** A server that runs. */
export class EmbeddedPg {
  readonly #parts: Parts;
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve("not started");
  #stopped: Promise<void> | undefined;
  #restarting: Promise<void> | undefined;
  #cancelRestart: CancelTimer | undefined;
  #restarts = 0;

  /** Use {@link startEmbeddedPg}. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** URL of the database, with the password: not for logs. */
  get url(): string {
    return this.#urlOf(DATABASE);
  }

  /** Process id of the server, or undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it takes connections. Used by {@link startEmbeddedPg} and after the server died. */
  async launch(): Promise<void> {
    const { options, paths, binaries, user, port } = this.#parts;
    const settings = Object.entries({ ...SETTINGS, ...options.settings }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = commandAs(user, binaries.postgres, ["-D", paths.data, "-p", String(port), ...settings], [paths.data]);
    const log = await openLog(paths);
    try {
      // A session of its own: Ctrl-C in a terminal reaches the node, which stops the server when it is done with it.
      const child = spawn(command.file, [...command.args], {
        ...command.user,
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
        env: pgEnvironment(),
      });
      this.#child = child;
      this.#exited = new Promise((resolve) => {
        child.once("error", (error) => resolve(error.message));
        child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
      });
      await this.#waitUntilReady(child);
    } finally {
      await log.close();
    }
    void this.#exited.then((reason) => this.#onExit(reason));
  }

  /** Lets the process end although the server runs; it is left behind then. For tests that stop it by other means. */
  unref(): void {
    this.#child?.unref();
  }

  /** Makes the database unless it is there. */
  async createDatabase(): Promise<void> {
    const client = await connectPg(this.#urlOf("postgres"), { applicationName: "maestro-embedded" });
    try {
      const { rows } = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
      if (rows.length === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    } finally {
      await client.end();
    }
  }

  /** Stops the server (fast: open transactions are rolled back, a checkpoint is written) and gives the folder back. */
  stop(): Promise<void> {
    this.#stopped ??= this.#halt();
    return this.#stopped;
  }

  async #halt(): Promise<void> {
    this.#cancelRestart?.();
    await this.#restarting;
    this.#child?.kill("SIGINT");
    const cancel = this.#parts.options.clock.schedule(STOP_MS, () => this.#child?.kill("SIGQUIT"));
    await this.#exited;
    cancel();
    await this.#parts.lock.release();
  }

  #urlOf(database: string): string {
    return `postgres://${SUPERUSER}:${this.#parts.secret}@127.0.0.1:${this.#parts.port}/${database}`;
  }

  async #waitUntilReady(child: ChildProcess): Promise<void> {
    const { options, paths } = this.#parts;
    let ended: string | undefined;
    void this.#exited.then((reason) => {
      ended = reason;
    });
    for (const endMs = options.clock.monotonic() + START_MS; options.clock.monotonic() < endMs; ) {
      if (ended !== undefined) throw failed(`the server ended while starting (${ended}); see ${paths.log}`);
      const postmaster = await readPostmaster(paths.data);
      if (postmaster?.pid === child.pid && postmaster?.ready === true) return;
      await pause(POLL_MS, options.clock);
    }
    child.kill("SIGQUIT");
    throw failed(`the server was not ready after ${START_MS} ms; see ${paths.log}`);
  }

  #onExit(reason: string): void {
    this.#child = undefined;
    if (this.#stopped !== undefined) return;
    const { clock, events } = this.#parts.options;
    const delayMs = Math.min(RESTART_FIRST_MS * 2 ** this.#restarts++, RESTART_MAX_MS);
    events?.emit("database.exited", { reason, restartInMs: delayMs });
    this.#cancelRestart = clock.schedule(delayMs, () => {
      this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    try {
      await stopLeftover(this.#parts.paths.data, this.#parts.options.clock);
      await this.launch();
      this.#restarts = 0;
    } catch (error) {
      this.#onExit(messageOf(error));
    }
  }
}

/** A TCP port of this machine that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
