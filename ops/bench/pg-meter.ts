/**
 * What an embedded PostgreSQL server has used so far: CPU of all its processes, and write-ahead log. Owns one connection to it.
 */
import { readdir, readFile } from "node:fs/promises";
import type { EmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import { connectPg, type PgClient } from "../../runtime/storage/pg-connection.ts";

/** Length of a tick of the CPU times below /proc, on every Linux in use. */
const TICK_US = 10_000;

/** Sums since the server started. */
export interface PgUsage {
  /** NaN where there is no /proc. */
  readonly cpuUs: number;
  readonly walBytes: number;
}

/** Opens a meter. */
export async function openPgMeter(server: EmbeddedPg): Promise<PgMeter> {
  return new PgMeter(server, await connectPg(server.url, { applicationName: "maestro-bench" }));
}

/** Reads the sums. */
export class PgMeter implements AsyncDisposable {
  readonly #server: EmbeddedPg;
  readonly #client: PgClient;

  /** Use {@link openPgMeter}. */
  constructor(server: EmbeddedPg, client: PgClient) {
    this.#server = server;
    this.#client = client;
  }

  async read(): Promise<PgUsage> {
    const { rows } = await this.#client.query("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes");
    const [row] = rows as { bytes: string }[];
    return { cpuUs: await cpuUs(this.#server.pid), walBytes: Number(row?.bytes) };
  }

  /** Asks the server something whose rows have one column called `value`, or changes something. */
  async query(text: string, values: readonly (string | number)[] = []): Promise<readonly { readonly value: unknown }[]> {
    return (await this.#client.query(text, [...values])).rows as { value: unknown }[];
  }

  /** Empties the tables of runs and writes everything out, so that each measurement begins alike. */
  async reset(): Promise<void> {
    await this.#client.query("TRUNCATE workflow_runs, journal");
    await this.#client.query("CHECKPOINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

/** CPU of a process and its children, those that ended included. */
async function cpuUs(parent: number | undefined): Promise<number> {
  if (process.platform !== "linux") return Number.NaN;
  let ticks = 0;
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, "utf8").catch(() => "") : "";
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
    if (Number(name) === parent) ticks += user + system + endedUser + endedSystem;
    else if (Number(fields[1]) === parent) ticks += user + system;
  }
  return ticks * TICK_US;
}
