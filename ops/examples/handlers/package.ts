/**
 * Packs the build into an archive that can be shipped, and tells its checksum.
 */
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineTask } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { packFiles } from "../delivery/tar-archive.ts";

interface Input {
  readonly folder: string;
  readonly archive: string;
  readonly failAt?: string;
}

interface Packed {
  readonly archive: string;
  readonly files: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** `package`: the archive, which is there in full or not at all. */
export const packageBuild = defineTask<Input, Packed>({
  name: "package",
  run({ folder, archive, failAt }) {
    failIfAsked(failAt, "package");
    const paths = ["package.json", ...globSync("src/**/*.js", { cwd: folder }).sort()];
    const files = paths.map((path) => ({ path: path.replaceAll("\\", "/"), content: readFileSync(join(folder, path)) }));
    const bytes = gzipSync(packFiles(files));
    mkdirSync(dirname(archive), { recursive: true });
    writeFileSync(`${archive}.new`, bytes);
    renameSync(`${archive}.new`, archive);
    return { archive, files: files.length, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  },
});

/** `discard-package` undoes `package`. */
export const discardPackage = defineTask<{ readonly output: Packed }, { removed: string }>({
  name: "discard-package",
  run({ output }) {
    rmSync(output.archive, { force: true });
    return { removed: output.archive };
  },
});
