/**
 * A PostgreSQL that belongs to nobody but the test: it is started, stopped in any manner, and started again on the same port and data, and stays down
 * as long as the test wants.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { systemClock } from "../../runtime/clock.ts";
import { systemRandom } from "../../runtime/random.ts";
import { openDataFolder } from "../../runtime/storage/data-folder.ts";
import { commandAs, findBinaries, type PgBinaries, unprivilegedUser } from "../../runtime/storage/pg-binaries.ts";
import { type ClusterPaths, clusterPaths, initCluster, openLog, pgEnvironment, readSecret, SUPERUSER } from "../../runtime/storage/pg-cluster.ts";
import { readPostmaster } from "../../runtime/storage/pg-leftover.ts";
import { execute } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const SETTINGS = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=120", "io_method=sync", "timezone=UTC"];
const SIGNALS = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT", kill: "SIGKILL" } as const;

/** The server. */
export class PgServer {
  readonly folder: string;
  readonly #paths: ClusterPaths;
  readonly #binaries: PgBinaries;
  readonly #secret: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, parts: { binaries: PgBinaries; secret: string; port: number }) {
    this.folder = folder;
    this.#paths = clusterPaths(folder);
    this.#binaries = parts.binaries;
    this.#secret = parts.secret;
    this.#port = parts.port;
    process.once("exit", () => void (this.isUp && this.#child?.kill("SIGQUIT")));
  }

  /** Makes the files of a server in a folder. */
  static async open(folder: string): Promise<PgServer> {
    await openDataFolder(folder, systemClock(), systemRandom());
    const paths = clusterPaths(folder);
    const binaries = await findBinaries();
    const secret = await readSecret(paths, systemRandom());
    await initCluster(paths, binaries, unprivilegedUser(folder), secret);
    return new PgServer(folder, { binaries, secret, port: await freePort() });
  }

  /** URL of its database. */
  get url(): string {
    return this.#urlOf("maestro");
  }

  /** True while its process lives. */
  get isUp(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it and waits until it takes connections. `more`: settings beside its own, `name=value` each. */
  async start(more: readonly string[] = []): Promise<void> {
    const settings = [...SETTINGS, ...more].flatMap((setting) => ["-c", setting]);
    const user = unprivilegedUser(this.folder);
    const command = commandAs(user, this.#binaries.postgres, ["-D", this.#paths.data, "-p", String(this.#port), ...settings], [this.#paths.data]);
    const log = await openLog(this.#paths);
    this.#child = spawn(command.file, [...command.args], { ...command.user, stdio: ["ignore", log.fd, log.fd], env: pgEnvironment() });
    const { pid } = this.#child;
    await waitUntil(
      "the server is ready",
      async () => {
        const postmaster = await readPostmaster(this.#paths.data);
        return postmaster?.pid === pid && postmaster?.ready === true;
      },
      60_000,
    );
    await log.close();
    const found = await execute(this.#urlOf("postgres"), "SELECT FROM pg_database WHERE datname = 'maestro'");
    if (found.length === 0) await execute(this.#urlOf("postgres"), "CREATE DATABASE maestro");
  }

  /** Stops it and waits until it is gone. */
  async stop(how: keyof typeof SIGNALS): Promise<void> {
    if (!this.isUp) return;
    this.#child?.kill(SIGNALS[how]);
    await waitUntil("the end of the server", () => !this.isUp, 60_000);
  }

  #urlOf(database: string): string {
    return `postgres://${SUPERUSER}:${this.#secret}@127.0.0.1:${this.#port}/${database}`;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(address !== null && typeof address === "object" ? address.port : 0));
    });
  });
}
