/**
 * Where the program `nats-server` is. It comes from the PATH; on Debian and its kin it may be installed, if that is wanted and this process is root.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { SETTINGS } from "../settings.ts";

const NAME = "nats-server";
/** Packages put it where not every PATH leads to. */
const MORE_FOLDERS = ["/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
const APT = "/usr/bin/apt-get";
const INSTALL_MS = 180_000;

/** The path of the program. `onInstall` is called before it is installed; without it nothing is. @throws PROGRAM_MISSING */
export async function findNatsProgram(onInstall?: () => void): Promise<string> {
  const found = find();
  if (found !== undefined) return found;
  if (onInstall === undefined || process.getuid?.() !== 0 || !existsSync(APT)) throw missing("it can't be installed from here");
  onInstall();
  try {
    const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeout: INSTALL_MS };
    await promisify(execFile)(APT, ["update", "-qq"], options);
    await promisify(execFile)(APT, ["install", "-y", "-qq", "--no-install-recommends", NAME], options);
  } catch (cause) {
    throw missing(messageOf(cause), cause);
  }
  const installed = find();
  if (installed === undefined) throw missing("its package was installed, and has no such program");
  return installed;
}

function find(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => join(folder, NAME)).find((path) => existsSync(path));
}

function missing(reason: string, cause?: unknown): MaestroError {
  return new MaestroError("PROGRAM_MISSING", { facts: { program: NAME, reason, setting: SETTINGS.natsUrl.env }, cause });
}
