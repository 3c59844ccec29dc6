/**
 * The crash tests, `npm run chaos`, see COMMAND. Prints seed, counts and duration of
 * each, and every finding of its audit. Exit code 1 if there was any.
 */
import { inspect } from "node:util";
import { systemClock } from "../../runtime/clock.ts";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { endAll } from "../support/maestro-process.ts";
import { runTrials, type TrialCommand, type TrialRequest } from "../support/trial-request.ts";
import type { Scenario, ScenarioResult } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

const COMMAND: TrialCommand = {
  usage: `Usage: npm run chaos -- [SCENARIO ...] [OPTION ...]

Scenarios (default: all): ${Object.keys(SCENARIOS).join(", ")}

Options:
  --rounds N   Kills, stops and the like of each scenario (default: its own number).
  --minutes M  How long the scenario cluster goes on (default: 2); without a scenario, only that one is run.
  --seed S     Repeats the choices of a run that was printed with this seed.
  --verbose    Says what happens meanwhile.`,
  names: Object.keys(SCENARIOS),
  numbers: ["rounds", "minutes", "seed"],
  flags: ["verbose"],
};
const clock = systemClock();
// The clock's timers don't keep the process alive; as long as a scenario is under way, this does.
const { port1: alive } = new MessageChannel();
process.once("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

async function play(name: string, seed: number, request: TrialRequest): Promise<void> {
  const startedMs = clock.monotonic();
  console.log(`${name}, seed ${seed}`);
  const { summary, findings } = await resultOf(name, seed, request);
  for (const line of summary) console.log(`  ${line}`);
  for (const finding of findings) console.log(`  FOUND ${finding}`);
  console.log(`  ${findings.length === 0 ? "ok" : "FAILED"} after ${((clock.monotonic() - startedMs) / 1_000).toFixed(1)} s\n`);
  if (findings.length > 0) process.exitCode = 1;
}

async function resultOf(name: string, seed: number, { numbers, flags }: TrialRequest): Promise<ScenarioResult> {
  const scenario = SCENARIOS[name] as Scenario;
  const say = (line: string): void => {
    if (flags.has("verbose")) console.log(`  ${line}`);
  };
  try {
    return await scenario({ random: seededRandom(seed), rounds: numbers.rounds, minutes: numbers.minutes, say });
  } catch (error) {
    return { summary: [], findings: [inspect(error)] };
  }
}

await runTrials(COMMAND, async (request) => {
  alive.ref();
  const seed = request.numbers.seed ?? systemRandom().uint32();
  const isAboutTime = request.numbers.minutes !== undefined && request.names === COMMAND.names;
  for (const name of isAboutTime ? ["cluster"] : request.names) await play(name, seed, request);
});
alive.close();
