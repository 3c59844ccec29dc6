/**
 * The simulator, `npm run simulate`, see COMMAND. Prints what failed with the seed that repeats it, and how many seeds a minute of one core were
 * looked at. Exit code 1 if any failed.
 */
import { cpuMs } from "../fuzz/cpu-time.ts";
import { runTrials, type TrialCommand, type TrialRequest } from "../support/trial-request.ts";
import { explore, shrink } from "./explore.ts";
import { lineOf, reportOf } from "./report.ts";
import type { Mode } from "./world.ts";

const DEFAULT_SEEDS = 200;

const COMMAND: TrialCommand = {
  usage: `Usage: npm run simulate -- [OPTION ...]

Options:
  --seeds N    How many seeds (default: ${DEFAULT_SEEDS}).
  --from S     The first one (default: 1).
  --mode M     safety, liveness or both (default: both).
  --seed X     This one alone.
  --trace      Prints everything that happened, of the one seed.
  --verbose    Prints a line for each seed, not only for those that failed.`,
  names: ["worlds"],
  numbers: ["seeds", "from", "seed"],
  texts: ["mode"],
  flags: ["trace", "verbose"],
};

function modesOf(text = "both"): readonly Mode[] {
  if (text === "both") return ["safety", "liveness"];
  if (text === "safety" || text === "liveness") return [text];
  throw new Error(`--mode takes safety, liveness or both, not "${text}"`);
}

async function simulate({ numbers, texts, flags }: TrialRequest): Promise<void> {
  const [first, count] = numbers.seed === undefined ? [numbers.from ?? 1, numbers.seeds ?? DEFAULT_SEEDS] : [numbers.seed, 1];
  const isTraced = flags.has("trace") && numbers.seed !== undefined;
  const startMs = cpuMs();
  const failed: string[] = [];
  let worlds = 0;
  for (const mode of modesOf(texts.mode)) {
    for (let seed = first; seed < first + count; seed += 1) {
      const result = await explore({ seed, mode, isTraced });
      worlds += 1;
      if (isTraced) console.log(result.trace.lines().join("\n"));
      if (flags.has("verbose") || numbers.seed !== undefined) console.log(lineOf(result));
      if (result.violations.length === 0) continue;
      failed.push(`${seed} ${mode}`);
      console.log(reportOf(result, await shrink(result)).join("\n"));
    }
  }
  const minutes = (cpuMs() - startMs) / 60_000;
  console.log(
    `${worlds} worlds, ${failed.length} failed${failed.length > 0 ? ` (${failed.join(", ")})` : ""}; ${Math.round(worlds / minutes)} a minute of one core`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

await runTrials(COMMAND, simulate);
