/**
 * Checks of the wire contracts in `proto/`: style, compatibility with what was promised before, and that the generated code is what the
 * contracts generate.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { type CommandResult, runCommand } from "./command.ts";
import type { Outcome, Step } from "./step.ts";

const TIMEOUT_MS = 120_000;

/** The steps about contracts. */
export function contractSteps(root: string, clock: Clock): Step[] {
  const buf = (...args: string[]): Promise<CommandResult> =>
    runCommand(clock, join(root, "node_modules/.bin/buf"), args, { cwd: join(root, "proto"), timeoutMs: TIMEOUT_MS });
  const git = (...args: string[]): Promise<CommandResult> => runCommand(clock, "git", args, { cwd: root, timeoutMs: TIMEOUT_MS });
  return [
    { name: "contract style", run: async () => verdictOf(await buf("lint")) },
    { name: "contract breaks", run: () => checkBreaking(root, buf, git) },
    { name: "generated code", run: () => checkGenerated(root, buf) },
  ];
}

function verdictOf(result: CommandResult, detail = ""): Outcome {
  return { verdict: result.ok ? "ok" : "failed", detail, output: result.output };
}

type Run = (...args: string[]) => Promise<CommandResult>;

/**
 * Compatibility is owed to what was published: the newest release tag. Before the first release nothing was, and the comparison is with
 * the main branch, so that a break is at least a decision that somebody sees.
 */
async function checkBreaking(root: string, buf: Run, git: Run): Promise<Outcome> {
  const base = await comparisonBase(git);
  if (base === undefined) return { verdict: "skipped", detail: "no git history here, so nothing to compare with" };
  const known = await git("ls-tree", "-r", "--name-only", base.ref, "proto");
  if (!known.output.includes(".proto")) return { verdict: "skipped", detail: `${base.name} has no contracts yet, so nothing can be broken` };
  const result = await buf("breaking", "--against", `${join(root, ".git")}#ref=${base.ref},subdir=proto`);
  return verdictOf(result, `compared with ${base.name}`);
}

async function comparisonBase(git: Run): Promise<{ ref: string; name: string } | undefined> {
  const tag = await git("describe", "--tags", "--abbrev=0", "--match", "v*");
  if (tag.ok) return { ref: tag.output, name: `release ${tag.output}` };
  for (const branch of ["origin/main", "HEAD"]) {
    const commit = await git("rev-parse", "--verify", "--quiet", branch);
    if (commit.ok) return { ref: commit.output, name: `${branch} (${commit.output.slice(0, 9)}; there is no release yet)` };
  }
  return undefined;
}

async function checkGenerated(root: string, buf: Run): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-generated-"));
  try {
    const result = await buf("generate", "--output", folder);
    if (!result.ok) return verdictOf(result);
    const differences = compareFolders(join(root, "proto/gen"), join(folder, "gen"));
    if (differences.length === 0) return { verdict: "ok", detail: "proto/gen is what the contracts generate" };
    return { verdict: "failed", output: [...differences, "Run `npm run generate` and commit the result."].join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compareFolders(committed: string, fresh: string): string[] {
  const names = new Set([committed, fresh].flatMap((folder) => globSync("**/*.ts", { cwd: folder })));
  return [...names].sort().flatMap((name) => {
    const [before, after] = [readIfThere(join(committed, name)), readIfThere(join(fresh, name))];
    if (before === after) return [];
    return [
      `proto/gen/${name} ${before === undefined ? "is missing" : after === undefined ? "is no longer generated" : "differs from what is generated"}`,
    ];
  });
}

function readIfThere(path: string): string | undefined {
  return globSync(path).length === 0 ? undefined : readFileSync(path, "utf8");
}
