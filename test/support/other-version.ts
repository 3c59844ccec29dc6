/**
 * Other versions of this program, for tests of clusters whose nodes differ: an older one out of the repository's history, and a later one, made of the working
 * tree and a few more files. Each has a folder of its own, which goes with the process.
 */
import { execFileSync } from "node:child_process";
import { cpSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./pg-fixture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What a program consists of. */
const SOURCES = ["proto", "runtime", "actors", "gateway", "ops", "package.json"];

/**
 * The program as it was at a commit. Answers its main file, for `MaestroProcess`.
 *
 * @throws Error if the commit is in this clone no more than at its origin.
 */
export function programAt(commit: string): string {
  if (!isHere(commit)) fetch(commit);
  const folder = temporaryFolder();
  const archive = execFileSync("git", ["archive", commit, ...SOURCES], { cwd: ROOT, maxBuffer: 256 * 2 ** 20 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  return mainIn(folder);
}

/** The program of the working tree with other files, by path. Answers its main file, for `MaestroProcess`. */
export function programWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return mainIn(folder);
}

function mainIn(folder: string): string {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return join(folder, "ops/cli/main.ts");
}

function isHere(commit: string): boolean {
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function fetch(commit: string): void {
  try {
    execFileSync("git", ["fetch", "--quiet", "--depth", "1", "origin", commit], { cwd: ROOT, stdio: "pipe" });
  } catch (cause) {
    throw new Error(`these tests run the program of commit ${commit}, which is not in this clone and can't be fetched: git fetch --unshallow`, {
      cause,
    });
  }
}
