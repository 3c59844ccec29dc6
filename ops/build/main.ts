/**
 * Builds `dist/`, which exists only for the published package: Node.js refuses to strip types from files below `node_modules`, so they
 * are compiled, and the files that the program reads at run time are laid beside them. A checkout runs without it.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { runCommand } from "../check/command.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DIST = join(ROOT, "dist");
const COMPILE_TIMEOUT_MS = 300_000;

/** Everything below the source folders that is neither program text nor documentation is read at run time. */
const ASSETS = [
  "proto/**/*.proto",
  "{runtime,actors,gateway,ops}/**/*.{sql,json,html,css,svg,yaml,yml,wasm}",
  "ops/examples/**/!(*.ts)",
  "ops/examples/*/service/**",
];

/** A file that is named by URL, as worker threads are: the compiler rewrites imports, but not these. */
const URL_OF_SOURCE = /(new URL\(\s*["']\.{1,2}\/[^"']+)\.ts(["'],\s*import\.meta\.url\s*\))/g;

async function compile(): Promise<boolean> {
  const result = await runCommand(systemClock(), join(ROOT, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], {
    cwd: ROOT,
    timeoutMs: COMPILE_TIMEOUT_MS,
  });
  if (!result.ok) console.error(result.output);
  return result.ok;
}

function rewriteUrls(): void {
  for (const name of globSync("**/*.js", { cwd: DIST })) {
    const path = join(DIST, name);
    const text = readFileSync(path, "utf8");
    const rewritten = text.replace(URL_OF_SOURCE, "$1.js$2");
    if (rewritten !== text) writeFileSync(path, rewritten);
  }
}

function copyAssets(): number {
  const assets = globSync(ASSETS, { cwd: ROOT, exclude: ["**/node_modules/**"], withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of assets) {
    const source = join(entry.parentPath, entry.name);
    const target = join(DIST, source.slice(ROOT.length));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target);
  }
  return assets.length;
}

/** What the program reads about itself, so that `../../package.json` means the same in `dist` as in the sources. */
function writeManifest(): void {
  const { name, version, description, license, type } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, unknown>;
  writeFileSync(join(DIST, "package.json"), `${JSON.stringify({ name, version, description, license, type, private: true }, undefined, 2)}\n`);
}

rmSync(DIST, { recursive: true, force: true });
if (await compile()) {
  rewriteUrls();
  const assets = copyAssets();
  writeManifest();
  console.log(`dist: ${globSync("**/*.js", { cwd: DIST }).length} modules, ${assets} other files`);
} else {
  process.exitCode = 1;
}
