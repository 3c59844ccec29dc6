/**
 * The crash tests: `npm run chaos -- [scenario ...] [--rounds N] [--seed S] [--verbose]`. Without scenarios, all of them. Prints seed, counts and duration of
 * each, and every finding of its audit. Exit code 1 if there was any.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../../runtime/clock.ts";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { endAll } from "../support/maestro-process.ts";
import type { ScenarioResult } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, seed: { type: "string" }, verbose: { type: "boolean", default: false } },
});
const clock = systemClock();
const seed = values.seed === undefined ? systemRandom().uint32() : Number(values.seed);
// The clock's timers don't keep the process alive; as long as a scenario is under way, this does.
const { port1: alive } = new MessageChannel();
alive.ref();
process.once("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

async function run(name: string): Promise<ScenarioResult> {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}; there are ${Object.keys(SCENARIOS).join(", ")}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  const say = (line: string): void => {
    if (values.verbose) console.log(`  ${line}`);
  };
  return scenario({ random: seededRandom(seed), rounds, say });
}

for (const name of positionals.length > 0 ? positionals : Object.keys(SCENARIOS)) {
  const startedMs = clock.monotonic();
  console.log(`${name}, seed ${seed}`);
  const { summary, findings } = await run(name).catch((error: unknown): ScenarioResult => {
    return { summary: [], findings: [error instanceof Error ? (error.stack ?? String(error)) : String(error)] };
  });
  for (const line of summary) console.log(`  ${line}`);
  for (const finding of findings) console.log(`  FOUND ${finding}`);
  console.log(`  ${findings.length === 0 ? "ok" : "FAILED"} after ${((clock.monotonic() - startedMs) / 1_000).toFixed(1)} s\n`);
  if (findings.length > 0) process.exitCode = 1;
}
alive.close();
