/**
 * The check program: `node ops/check/main.ts check` for everything but the tests proper, `all` for everything, or the names of test levels
 * (`unit`, `integration` ...). Runs every step even if one fails, sums up, and ends with exit code 1 if any failed. The last line of its
 * output is always `N passed, N failed`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { runCommand } from "./command.ts";
import { contractSteps } from "./contracts.ts";
import { checkLicences } from "./licences.ts";
import { levelNames, levelStep } from "./mocha-levels.ts";
import { type Outcome, resultLine, runSteps, type Step, type StepResult, sumUp } from "./step.ts";
import { sizeReport } from "./style/size-report.ts";
import { readSourceTree } from "./style/source-tree.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TOOL_TIMEOUT_MS = 120_000;
const clock = systemClock();

function toolStep(name: string, program: string, ...args: string[]): Step {
  return {
    name,
    async run(): Promise<Outcome> {
      const result = await runCommand(clock, join(ROOT, "node_modules/.bin", program), args, { cwd: ROOT, timeoutMs: TOOL_TIMEOUT_MS });
      return { verdict: result.ok ? "ok" : "failed", output: result.output };
    },
  };
}

function checkSteps(): Step[] {
  return [
    toolStep("format and lint", "biome", "check", "--error-on-warnings", "--colors=off"),
    toolStep("types", "tsc", "-p", "."),
    ...contractSteps(ROOT, clock),
    { name: "licences", run: async () => checkLicences(readFileSync(join(ROOT, "package-lock.json"), "utf8")) },
    levelStep("style", ROOT, clock),
    {
      name: "sizes",
      async run(): Promise<Outcome> {
        console.log(`\n${sizeReport(readSourceTree(ROOT)).join("\n")}\n`);
        return { verdict: "ok", detail: "the table above; the limits are held by test/style" };
      },
    },
  ];
}

/** The steps that the words of the command line ask for. */
function stepsFor(words: readonly string[]): Step[] {
  const levels = levelNames(ROOT).filter((name) => name !== "style");
  return words.flatMap((word) => {
    if (word === "check") return checkSteps();
    if (word === "all") return [...checkSteps(), ...levels.map((name) => levelStep(name, ROOT, clock))];
    return [levelStep(word, ROOT, clock)];
  });
}

function printSummary(results: readonly StepResult[]): void {
  const totals = sumUp(results);
  console.log(`\nSummary\n${results.map(resultLine).join("\n")}\n`);
  for (const failure of totals.failures) console.log(`failed: ${failure}`);
  if (totals.pending > 0) console.log(`${totals.pending} pending: they were not run and prove nothing`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  if (totals.failed > 0) process.exitCode = 1;
}

const words = process.argv.slice(2);
printSummary(await runSteps(stepsFor(words.length === 0 ? ["check"] : words), clock, (line) => console.log(line)));
