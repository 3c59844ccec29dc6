/**
 * The benchmarks' command: `npm run bench -- core|actors|journal|pool|gateway|expressions|ceiling|all [--quick] [--json] [--save]
 * [--profile=FOLDER]`. It judges nothing; it fails only where something could not be measured.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { systemRandom } from "../../runtime/random.ts";
import { actors } from "./actors.ts";
import type { Benchmark, BenchSetting } from "./benchmark.ts";
import { ceiling } from "./ceiling.ts";
import { core } from "./core.ts";
import { expressions } from "./expressions.ts";
import { gateway } from "./gateway.ts";
import { journal } from "./journal.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { pool } from "./pool.ts";
import { type FigureRecord, machineLine, tablesOf } from "./report.ts";

/** `all` leaves out the ceiling, which `core` measures along with itself. */
const ALL: readonly Benchmark[] = [core, actors, journal, pool, gateway, expressions];
const BENCHMARKS: readonly Benchmark[] = [...ALL, ceiling];

const RESULTS = fileURLToPath(new URL("./results", import.meta.url));

interface Request {
  readonly benchmarks: readonly Benchmark[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly save: boolean;
  readonly profileFolder: string | undefined;
}

function readRequest(args: string[]): Request {
  const flag = { type: "boolean", default: false } as const;
  const options = { quick: flag, json: flag, save: flag, profile: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const names = positionals.length === 0 ? ["core"] : positionals;
  const benchmarks = names.flatMap((name) => (name === "all" ? ALL : BENCHMARKS.filter((benchmark) => benchmark.name === name)));
  const unknown = names.find((name) => name !== "all" && !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}", only ${BENCHMARKS.map(({ name }) => name).join(", ")} and all`);
  return { benchmarks, quick: values.quick, json: values.json, save: values.save, profileFolder: values.profile };
}

function settingOf({ quick, profileFolder }: Request, signal: AbortSignal): BenchSetting {
  const depth = quick ? { rounds: 1, roundMs: 1_000, scale: 0.1 } : { rounds: 3, roundMs: 3_000, scale: 1 };
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  return { clock: systemClock(), random: systemRandom(), ...depth, signal, profileFolder, progress };
}

async function runOne(benchmark: Benchmark, request: Request, setting: BenchSetting, machine: Machine): Promise<void> {
  const measuredAt = new Date(setting.clock.now()).toISOString();
  const figures = await benchmark.measure(setting);
  setting.progress("");
  const records = figures.map((figure): FigureRecord => ({ benchmark: benchmark.name, ...figure, measuredAt, quick: request.quick, machine }));
  if (request.json) for (const record of records) console.log(JSON.stringify(record));
  else console.log(`\n${benchmark.name}: ${benchmark.about}\n\n${tablesOf(figures)}`);
  if (request.save) save(`${measuredAt.slice(0, 10)}-${machine.commit}-${benchmark.name}.json`, records);
}

function save(name: string, records: readonly FigureRecord[]): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, name), `${JSON.stringify(records, undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort(new Error("interrupted")));
  const request = readRequest(process.argv.slice(2));
  const setting = settingOf(request, interrupted.signal);
  const machine = await describeMachine();
  if (!request.json) console.log(`${machineLine(machine)}${request.quick ? "; one short round of each: for a glance only" : ""}`);
  for (const benchmark of request.benchmarks) await runOne(benchmark, request, setting, machine);
}

main().catch((error: unknown) => {
  console.error(`the benchmark was given up: ${messageOf(error)}`);
  process.exitCode = 1;
});
