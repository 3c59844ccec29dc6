/**
 * The fuzzer, `npm run fuzz`, see COMMAND. Prints a table, and each
 * failure with the seed that repeats it: `--seed S --cases 1`. Exit code 1 if there was any.
 */
import { inspect } from "node:util";
import { systemRandom } from "../../runtime/random.ts";
import { runTrials, type TrialCommand } from "../support/trial-request.ts";
import { type FuzzResult, runTarget } from "./engine.ts";
import { TARGETS } from "./targets.ts";
import { startWatchdog } from "./watchdog.ts";

const DEFAULT_CASES = 100_000;

async function fuzz(name: string, cases: number, seed: number, corpus: string | undefined): Promise<FuzzResult> {
  const open = TARGETS[name];
  if (open === undefined) throw new Error(`there is no target ${name}; there are ${Object.keys(TARGETS).join(", ")}`);
  const target = await open({ corpus });
  const watchdog = startWatchdog(name);
  try {
    return await runTarget(target, { cases, seed, onBatch: watchdog.batch });
  } finally {
    await watchdog.stop();
    await target.close();
  }
}

function print(result: FuzzResult, seed: number): void {
  const { target, cases, seconds, failures, outcomes } = result;
  const verdict = failures.length === 0 ? "ok" : `${failures.length} FAILED`;
  console.log(`${target.padEnd(12)} ${String(cases).padStart(8)} cases ${seconds.toFixed(1).padStart(7)} s  seed ${seed}  ${verdict}  (${outcomes})`);
  for (const failure of failures) {
    console.log(`\n${target}: case of seed ${failure.seed}: ${inspect(failure.problem, { depth: 3 })}`);
    console.log(`reduced input: ${failure.input}\nrepeat: node test/fuzz/main.ts ${target} --cases 1 --seed ${failure.seed}\n`);
  }
}

const COMMAND: TrialCommand = {
  usage: `Usage: npm run fuzz -- [TARGET ...] [OPTION ...]

Targets (default: all): ${Object.keys(TARGETS).join(", ")}

Options:
  --cases N      Cases for each target (default: ${DEFAULT_CASES}).
  --seed S       Repeats what was printed with this seed.
  --corpus DIR   Folder with inputs to begin with, for the targets that read files.`,
  names: Object.keys(TARGETS),
  numbers: ["cases", "seed"],
  texts: ["corpus"],
};

await runTrials(COMMAND, async ({ names, numbers, texts }) => {
  const seed = numbers.seed ?? systemRandom().uint32();
  for (const name of names) {
    const result = await fuzz(name, numbers.cases ?? DEFAULT_CASES, seed, texts.corpus);
    print(result, seed);
    if (result.failures.length > 0) process.exitCode = 1;
  }
});
