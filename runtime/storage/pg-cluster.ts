/**
 * The files of an embedded PostgreSQL below a node's data folder: the data itself (`postgres/`), the superuser's password
 * (`postgres.secret`, mode 0600) and the log (`postgres.log`). Owns their creation; starts no server.
 */
import { execFile } from "node:child_process";
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { MaestroError } from "../errors.ts";
import type { Random } from "../random.ts";
import { commandAs, type PgBinaries, type Unprivileged } from "./pg-binaries.ts";

/** Major version of the binaries; data folders of another one can't be opened. */
const MAJOR_VERSION = "18";

/** A log that grew beyond this is put aside (one generation is kept) at the next start. */
const LOG_ROTATE_BYTES = 16 * 1024 * 1024;

/** Name of the superuser. */
export const SUPERUSER = "maestro";

/** Where the files of a data folder are. */
export interface ClusterPaths {
  readonly data: string;
  readonly secret: string;
  readonly log: string;
}

/** The paths below a node's data folder. */
export function clusterPaths(folder: string): ClusterPaths {
  return { data: join(folder, "postgres"), secret: join(folder, "postgres.secret"), log: join(folder, "postgres.log") };
}

/** The superuser's password; made at first use. */
export async function readSecret(paths: ClusterPaths, random: Random): Promise<string> {
  const found = await readFile(paths.secret, "utf8").catch(absent);
  if (found !== undefined && found !== "") return found;
  const secret = Array.from({ length: 6 }, () => random.uint32().toString(36)).join("");
  const draft = `${paths.secret}.new`;
  await writeFile(draft, secret, { mode: 0o600, flush: true });
  await rename(draft, paths.secret);
  return secret;
}

/** Makes the cluster if there is none. It appears under its name only when complete, so that a crash on the way leaves nothing half done. */
export async function initCluster(paths: ClusterPaths, binaries: PgBinaries, user: Unprivileged | undefined, secret: string): Promise<void> {
  const version = await readFile(join(paths.data, "PG_VERSION"), "utf8").catch(absent);
  if (version !== undefined) {
    if (version.trim() === MAJOR_VERSION) return;
    throw failed(`the data folder is of PostgreSQL ${version.trim()}, this program brings ${MAJOR_VERSION}`);
  }
  const draft = `${paths.data}.new`;
  const passwordFile = `${paths.secret}.init`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, secret, { mode: 0o600 });
  if (user !== undefined) await Promise.all([draft, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  try {
    const flags = ["-D", draft, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
    const command = commandAs(user, binaries.initdb, flags, [draft]);
    await promisify(execFile)(command.file, [...command.args], { ...command.user, env: pgEnvironment() });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw failed(`initdb failed: ${(stderr ?? String(error)).trim()}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, paths.data);
}

/** Opens the log for appending, after putting a large one aside. */
export async function openLog(paths: ClusterPaths): Promise<Awaited<ReturnType<typeof open>>> {
  const size = (await stat(paths.log).catch(absent))?.size ?? 0;
  if (size > LOG_ROTATE_BYTES) await rename(paths.log, `${paths.log}.1`);
  return open(paths.log, "a", 0o600);
}

/** The environment of PostgreSQL's programs: nothing of ours, so that no PG* variable misleads them. */
export function pgEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LANG: "C", LC_ALL: "C", TZ: "UTC" };
}

/** DATABASE_UNAVAILABLE for the embedded server. */
export function failed(reason: string, cause?: unknown): MaestroError {
  return new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "embedded", reason }, cause });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
