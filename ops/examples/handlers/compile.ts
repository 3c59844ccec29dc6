/**
 * Builds the service: TypeScript becomes JavaScript that runs on any Node.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineTask } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { runCommand } from "../delivery/run-command.ts";

interface Input {
  readonly source: string;
  readonly folder: string;
  readonly version: string;
  readonly failAt?: string;
}

interface Built {
  readonly folder: string;
  readonly files: number;
}

/** The program that compiles, with the suffix that this file has too: `.ts`, or `.js` in a published package. */
const COMPILER = fileURLToPath(new URL(`../delivery/strip-types${import.meta.url.slice(-3)}`, import.meta.url));

/** `compile`: the build in `folder`, made anew. */
export const compile = defineTask<Input, Built>({
  name: "compile",
  startToCloseMs: 60_000,
  async run({ source, folder, version, failAt }, { signal }) {
    failIfAsked(failAt, "compile");
    rmSync(folder, { recursive: true, force: true });
    const args = ["--disable-warning=ExperimentalWarning", COMPILER, source, folder];
    const files = Number(await runCommand({ program: process.execPath, args, cwd: source, signal }));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "parcel-quotes", version, type: "module" }));
    return { folder, files };
  },
});

/** `discard-build` undoes `compile`. */
export const discardBuild = defineTask<{ readonly output: Built }, { removed: string }>({
  name: "discard-build",
  run({ output }) {
    rmSync(output.folder, { recursive: true, force: true });
    return { removed: output.folder };
  },
});
