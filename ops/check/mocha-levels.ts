/**
 * The levels of tests, each one folder of `test/` and one run of mocha. `test/README.md` says which level proves what.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../runtime/clock.ts";
import { runCommand } from "./command.ts";
import type { Outcome, Step, TestTotals } from "./step.ts";

/** The levels in the order in which they are run: what is quick and close to the cause comes first. */
const ORDER = ["style", "unit", "property", "conformance", "simulation", "integration", "e2e", "cluster"];

/** Levels whose files share nothing, not even the machine's patience: they may run side by side. */
const PARALLEL = new Set(["unit", "property"]);

/** Longest time of one level, in milliseconds. A level that leaks a handle would otherwise never end. */
const LEVEL_TIMEOUT_MS = 600_000;

const REPORTER = fileURLToPath(new URL("./mocha-totals.ts", import.meta.url));

/** The names of all levels that there are: the known ones in their order, then any other folder with tests, so that none is forgotten. */
export function levelNames(root: string): string[] {
  const found = new Set(globSync("test/**/*.test.ts", { cwd: root }).map((path) => path.split(/[\\/]/)[1] ?? ""));
  return [...ORDER.filter((name) => found.has(name)), ...[...found].filter((name) => !ORDER.includes(name)).sort()];
}

/** A step that runs one level. It fails if there are no tests in it. */
export function levelStep(name: string, root: string, clock: Clock): Step {
  return { name: `test/${name}`, run: () => runLevel(name, root, clock) };
}

async function runLevel(name: string, root: string, clock: Clock): Promise<Outcome> {
  const files = globSync(`test/${name}/**/*.test.ts`, { cwd: root }).sort();
  if (files.length === 0) return { verdict: "failed", output: `there are no tests in test/${name}` };
  const folder = mkdtempSync(join(tmpdir(), "maestro-check-"));
  try {
    const totalsPath = join(folder, "totals.json");
    const mode = PARALLEL.has(name) && files.length > 1 ? ["--parallel", "--jobs", "2"] : [];
    const args = ["node_modules/mocha/bin/mocha.js", ...mode, "--reporter", REPORTER, "--reporter-option", `totals=${totalsPath}`, ...files];
    const result = await runCommand(clock, process.execPath, args, { cwd: root, timeoutMs: LEVEL_TIMEOUT_MS, isLive: true });
    return judge(result.ok, result.output, existsSync(totalsPath) ? (JSON.parse(readFileSync(totalsPath, "utf8")) as TestTotals) : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mocha's exit code and its totals have to agree: a crash after the last test, or before the first, is a failure. */
function judge(isOk: boolean, ending: string, tests: TestTotals | undefined): Outcome {
  if (tests === undefined) return { verdict: "failed", detail: "mocha ended without totals", output: ending };
  const detail = `${tests.passed} passed, ${tests.failed} failed${tests.pending > 0 ? `, ${tests.pending} pending` : ""}`;
  if (isOk && tests.failed === 0) return { verdict: "ok", detail, tests };
  return { verdict: "failed", detail, tests, ...(tests.failed === 0 ? { output: `all tests passed, but mocha ${ending.trim()}` } : {}) };
}
