/**
 * The benchmarks' command, see USAGE. It judges nothing; it fails only where something could not be measured.
 */
import { parseArgs } from "node:util";
import { parseAddress } from "../../gateway/address.ts";
import { systemClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { systemRandom } from "../../runtime/random.ts";
import { actors } from "./actors.ts";
import type { Benchmark, BenchSetting } from "./benchmark.ts";
import { bus } from "./bus.ts";
import { ceiling } from "./ceiling.ts";
import { cluster } from "./cluster.ts";
import { core } from "./core.ts";
import { events } from "./events.ts";
import { exchange } from "./exchange.ts";
import { expressions } from "./expressions.ts";
import { gateway } from "./gateway.ts";
import { journal } from "./journal.ts";
import { long } from "./long.ts";
import { describeMachine, type Machine, pressure } from "./machine.ts";
import { overload } from "./overload.ts";
import { parked } from "./parked.ts";
import { peers } from "./peers.ts";
import { pool } from "./pool.ts";
import { type FigureRecord, machineLine, tablesOf } from "./report.ts";
import { saveResults } from "./results.ts";
import { signals } from "./signals.ts";
import { store } from "./store.ts";
import type { TargetRequest } from "./target.ts";

/** `all` leaves out the ceiling, which `core` measures along with itself, and what needs something from outside: a NATS server, a folder. */
const ALL: readonly Benchmark[] = [core, parked, long, signals, store, overload, actors, journal, pool, gateway, expressions];
const BENCHMARKS: readonly Benchmark[] = [...ALL, bus, ceiling, cluster, events, exchange, peers];

const USAGE = `Usage: npm run bench -- [BENCHMARK ...] [OPTION ...]

Benchmarks (default: core):
${BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}
  all          All of them but bus, ceiling, cluster, events, exchange and peers.

Options:
  --quick           One short round of each, for a glance.
  --long            The amounts that the product is made for; takes minutes.
  --json            A line of JSON for each figure.
  --save            Keeps figures, table and plot in ops/bench/results.
  --profile=FOLDER  Writes CPU profiles of node and client there.
  --folder=FOLDER   For peers: the folder with the scripts of the other engines.
  --target=HOST:PORT[,HOST:PORT ...]
                    For core: loads the gateways of nodes that run already (their handlers include noop, as those of \`npm run cluster\` do).
  --seconds=N       For --target: how long. Default: until Ctrl-C.`;

interface Request {
  readonly benchmarks: readonly Benchmark[];
  readonly quick: boolean;
  readonly long: boolean;
  readonly json: boolean;
  readonly save: boolean;
  readonly help: boolean;
  readonly profile?: string | undefined;
  readonly folder?: string | undefined;
  readonly target?: string | undefined;
  readonly seconds?: string | undefined;
}

function readRequest(args: string[]): Request {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const options = { quick: flag, long: flag, json: flag, save: flag, help: flag, profile: text, folder: text, target: text, seconds: text } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const names = positionals.length === 0 ? ["core"] : positionals;
  const benchmarks = names.flatMap((name) => (name === "all" ? ALL : BENCHMARKS.filter((benchmark) => benchmark.name === name)));
  const unknown = names.find((name) => name !== "all" && !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}", only ${BENCHMARKS.map(({ name }) => name).join(", ")} and all`);
  if (values.target !== undefined && names.join() !== "core") throw new Error("--target is for the benchmark core");
  if (values.seconds !== undefined && !(Number(values.seconds) > 0)) throw new Error(`--seconds must be a number above 0, not "${values.seconds}"`);
  if (values.quick && values.long) throw new Error("--quick and --long exclude each other");
  return { benchmarks, ...values };
}

function targetOf({ target, seconds }: Request): TargetRequest | undefined {
  if (target === undefined) return undefined;
  const addresses = target.split(",").map((address) => parseAddress(address.trim()));
  return { addresses, durationMs: seconds === undefined ? undefined : Number(seconds) * 1_000 };
}

function settingOf(request: Request, signal: AbortSignal, remark: (text: string) => void): BenchSetting {
  const { quick, long: isLong, profile, folder } = request;
  const depth = quick ? { rounds: 1, roundMs: 1_000, scale: 0.1 } : { rounds: 3, roundMs: 3_000, scale: 1 };
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  const folders = { profileFolder: profile, peersFolder: folder };
  return { clock: systemClock(), random: systemRandom(), ...depth, long: isLong, target: targetOf(request), signal, ...folders, progress, remark };
}

async function runOne(benchmark: Benchmark, request: Request, machine: Machine, signal: AbortSignal): Promise<void> {
  const remarks: string[] = [];
  const setting = settingOf(request, signal, (text) => void remarks.push(text));
  const measuredAt = new Date(setting.clock.now()).toISOString();
  const load = pressure();
  const figures = await benchmark.measure(setting);
  setting.progress("");
  const at = { measuredAt, loadAverage: load, quick: request.quick, long: request.long, machine };
  const records = figures.map((figure): FigureRecord => ({ benchmark: benchmark.name, ...figure, ...at }));
  const text = [`${benchmark.name}: ${benchmark.about}`, `Load average before: ${load}.`, tablesOf(figures), ...remarks].join("\n\n");
  if (request.json) for (const record of records) console.log(JSON.stringify(record));
  else console.log(`\n${text}`);
  if (request.save) saveResults(records, `${machineLine(machine)}\n\n${text}`);
}

async function main(): Promise<void> {
  const interrupted = new AbortController();
  // Also a second signal waits: what was started is stopped in order, and by force where that takes too long.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => interrupted.abort(new Error("interrupted")));
  const request = readRequest(process.argv.slice(2));
  if (request.help) return console.log(USAGE);
  const machine = await describeMachine();
  if (!request.json) console.log(`${machineLine(machine)}${request.quick ? "; one short round of each: for a glance only" : ""}`);
  for (const benchmark of request.benchmarks) await runOne(benchmark, request, machine, interrupted.signal);
}

main().catch((error: unknown) => {
  console.error(`the benchmark was given up: ${messageOf(error)}`);
  process.exitCode = 1;
});
