/**
 * The whole product under the workloads W1 and W2: how many runs or steps it completes per second, how long a run takes, and what each costs
 * in every process; beside it what the machine gives at most, measured in the same minutes, and the ratio of the two.
 */
import { type Benchmark, type BenchSetting, type Figure, type FigureLabel, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { ceiling } from "./ceiling.ts";
import { type Installation, install, type LoadCost } from "./installation.ts";
import { ratios } from "./ratios.ts";
import { measureTarget } from "./target.ts";
import { walSplit } from "./wal-split.ts";
import { type Driver, WORKLOADS } from "./workload.ts";

/** Load before anything is measured, a round of each driver: code is compiled, and the server's caches are filled. */
const WARM_UP_IN_FLIGHT = 300;

const MEANING: Readonly<Record<Driver, string>> = {
  stream: "over one gRPC Execute stream",
  unary: "each by one unary gRPC call, Start(wait)",
  "in process": "started inside the node, without gateway and client",
};

const THROUGHPUT: readonly (readonly [Driver, number])[] = [
  ["stream", 100],
  ["stream", 300],
  ["stream", 1_000],
  ["unary", 100],
  ["unary", 300],
  ["in process", 300],
  ["in process", 1_000],
];
const LATENCY: readonly Driver[] = ["stream", "unary"];
const FAN_OUT: readonly (readonly [Driver, number])[] = [
  ["stream", 4],
  ["in process", 4],
  ["stream", 16],
];
/** Runs of one round of W2. */
const FAN_OUT_RUNS = 50;
const FAN_OUT_LONGEST_MS = 60_000;

/** `npm run bench -- core`. */
export const core: Benchmark = {
  name: "core",
  about: "Runs of three durable steps (W1) or a hundred at once (W2), from client to committed result, beside what the machine allows.",
  async measure(setting) {
    if (setting.target !== undefined) return measureTarget(setting, setting.target);
    const limits = await ceiling.measure(setting);
    const figures = await measureProduct(setting);
    return [...limits, ...figures, ...ratios([...limits, ...figures])];
  },
};

async function measureProduct(setting: BenchSetting): Promise<readonly Figure[]> {
  setting.progress("starting PostgreSQL, a node and a client");
  await using installation = await install(setting);
  for (const driver of ["stream", "unary", "in process"] as const) {
    setting.signal.throwIfAborted();
    setting.progress(`warming up: ${driver}`);
    await installation.load({ workload: "w1", driver, inFlight: WARM_UP_IN_FLIGHT, durationMs: setting.roundMs });
  }
  await installation.load({ workload: "w2", driver: "stream", inFlight: WARM_UP_IN_FLIGHT, durationMs: setting.roundMs, operations: FAN_OUT_RUNS });
  return await measureInTurn(setting, [
    ...THROUGHPUT.map(([driver, inFlight]) => throughput(installation, driver, inFlight, setting.roundMs)),
    ...LATENCY.map((driver) => latency(installation, driver, setting.roundMs)),
    ...FAN_OUT.map(([driver, inFlight]) => fanOut(installation, driver, inFlight)),
    ...walSplit(installation, setting),
  ]);
}

/** W1a. */
export function throughput(installation: Installation, driver: Driver, inFlight: number, durationMs: number): Measured {
  const label: FigureLabel = {
    name: `W1a ${driver}, ${inFlight}`,
    unit: "runs/s",
    about: `completed runs with ${inFlight} in flight, ${MEANING[driver]}`,
  };
  const round = async (): Promise<Round> => {
    const cost = await installation.load({ workload: "w1", driver, inFlight, durationMs });
    const { operations, elapsedMs } = cost.load;
    return { value: (operations / elapsedMs) * 1000, details: { "p50 ms": cost.load.p50Ms, ...costOf(cost, driver) } };
  };
  return { label, round };
}

/** W1b. */
export function latency(installation: Installation, driver: Driver, durationMs: number): Measured {
  const label = { name: `W1b ${driver}, p50`, unit: "ms", about: `time of one run with nothing else under way, ${MEANING[driver]}` };
  const round = async (): Promise<Round> => {
    const cost = await installation.load({ workload: "w1", driver, inFlight: 1, durationMs });
    return { value: cost.load.p50Ms, details: costOf(cost, driver) };
  };
  return { label, round };
}

/** W2. */
export function fanOut(installation: Installation, driver: Driver, inFlight: number): Measured {
  const { steps } = WORKLOADS.w2;
  const label: FigureLabel = {
    name: `W2 ${driver}, ${inFlight}`,
    unit: "steps/s",
    about: `completed steps of ${FAN_OUT_RUNS} runs of ${steps} steps at once, ${inFlight} runs in flight, ${MEANING[driver]}`,
  };
  const round = async (): Promise<Round> => {
    const cost = await installation.load({ workload: "w2", driver, inFlight, durationMs: FAN_OUT_LONGEST_MS, operations: FAN_OUT_RUNS });
    const { operations, elapsedMs } = cost.load;
    return { value: ((operations * steps) / elapsedMs) * 1000, details: { "p50 ms": cost.load.p50Ms, ...costOf(cost, driver, steps) } };
  };
  return { label, round };
}

function costOf(cost: LoadCost, driver: Driver, steps: number = WORKLOADS.w1.steps): Record<string, number> {
  const { load, commits, writes } = cost;
  const runs = load.operations;
  return {
    "p95 ms": load.p95Ms,
    "p99 ms": load.p99Ms,
    "node us/run": cost.nodeCpuUs / runs,
    "pg us/run": cost.pgCpuUs / runs,
    ...(driver === "in process" ? {} : { "client us/run": load.cpuUs / runs }),
    "commits/s": (commits / load.elapsedMs) * 1000,
    "writes/commit": writes / commits,
    "WAL bytes/step": cost.walBytes / runs / steps,
  };
}
