/**
 * Three times the load that the node can take, for a time: what it completes meanwhile, what it refuses and how, how long the accepted ones take, how much
 * memory it needs, and when it is at full speed again.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, percentile, type Round } from "./benchmark.ts";
import { type Installation, install } from "./installation.ts";
import type { OverloadDriver, OverloadReport } from "./open-loop.ts";

const TIMES = 3;
/** Each may have as many requests under way as one stream, or connection, takes. */
const CONNECTIONS: Readonly<Record<OverloadDriver, number>> = { stream: 40, unary: 8 };
const DURATION_MS = 20_000;
/** Less would be a burst, which the node holds. */
const SHORTEST_MS = 8_000;
const LONG_DURATION_MS = 300_000;
const IN_FLIGHT = 300;
const MIB = 2 ** 20;
const MEMORY_EVERY_MS = 500;
/** Share of the time after which memory is to be what it stays: of five minutes the first. */
const SETTLED = 0.2;

/** Resident MiB of the node, in the order of time. */
type Memory = readonly number[];

/** `npm run bench -- overload`. */
export const overload: Benchmark = {
  name: "overload",
  about: `${TIMES} times the possible load of W1 for a time: what is completed and refused, latency, memory, recovery.`,
  async measure(setting) {
    const figures: Figure[] = [];
    for (const driver of ["stream", "unary"] as const) {
      setting.progress("starting PostgreSQL, a node and a client");
      await using installation = await install(setting);
      figures.push(...(await measureDriver(setting, installation, driver)));
    }
    return figures;
  },
};

async function measureDriver(setting: BenchSetting, installation: Installation, driver: OverloadDriver): Promise<readonly Figure[]> {
  const fullSpeed = await measureFullSpeed(setting, installation, driver);
  const durationMs = setting.long ? LONG_DURATION_MS : Math.max(DURATION_MS * setting.scale, SHORTEST_MS);
  setting.progress(`${driver}: ${TIMES} times ${Math.round(fullSpeed)} runs/s for ${durationMs / 1000} s`);
  const order = { kind: "overload", driver, connections: CONNECTIONS[driver], perSecond: TIMES * fullSpeed, durationMs, fullSpeed } as const;
  const over = new AbortController();
  const watching = watchMemory(setting, installation, durationMs, over.signal);
  try {
    const report = await installation.askClient<OverloadReport>(order);
    return figuresOf(driver, fullSpeed, report, await watching, setting);
  } finally {
    over.abort();
  }
}

/** Runs per second of ordinary clients, after as long a warm-up. */
async function measureFullSpeed({ roundMs, rounds, progress }: BenchSetting, installation: Installation, driver: OverloadDriver): Promise<number> {
  const speeds: number[] = [];
  for (let round = 0; round <= rounds + 1; round++) {
    progress(`${driver}: full speed, round ${round}`);
    const { load } = await installation.load({ workload: "w1", driver, inFlight: IN_FLIGHT, durationMs: roundMs });
    if (round > 1) speeds.push((load.operations / load.elapsedMs) * 1000);
  }
  speeds.sort((a, b) => a - b);
  return percentile(speeds, 0.5);
}

async function watchMemory({ clock }: BenchSetting, installation: Installation, durationMs: number, signal: AbortSignal): Promise<Memory> {
  const residentMib: number[] = [];
  for (const endMs = clock.monotonic() + durationMs; clock.monotonic() < endMs && !signal.aborted; await pause(MEMORY_EVERY_MS, clock))
    residentMib.push((await installation.askNode<number>({ kind: "resident" })) / MIB);
  return residentMib;
}

function figuresOf(driver: OverloadDriver, fullSpeed: number, report: OverloadReport, memory: Memory, setting: BenchSetting): readonly Figure[] {
  const { sent, heldBack, completed, completedInTime, refused, advised, codes, durationMs } = report;
  const rate = (count: number): number => (count / durationMs) * 1000;
  const once = (name: string, unit: string, about: string, round: Round): Figure =>
    figureOf({ name: `overload ${driver}, ${name}`, unit, about }, [round]);
  if (codes.length > 0) setting.remark(`${driver}: refusals had the codes ${codes.join(", ")}; ${advised} of ${refused} said when to come back.`);
  const asked = {
    "asked/s": rate(sent + heldBack),
    "sent/s": rate(sent),
    "refused/s": rate(refused),
    "share of full speed": rate(completedInTime) / fullSpeed,
  };
  const settled = Math.ceil(memory.length * SETTLED);
  const atMost = (part: Memory): number => Math.max(...part, 0);
  const parts = { "first MiB": memory[0] ?? 0, "settled MiB": atMost(memory.slice(0, settled)), "last MiB": memory.at(-1) ?? 0 };
  return [
    once("full speed", "runs/s", `runs of ${IN_FLIGHT} ordinary clients, before; the median of the rounds`, { value: fullSpeed }),
    once("completed", "runs/s", `runs completed while ${TIMES} times as many were asked for`, { value: rate(completedInTime), details: asked }),
    once("share advised", "x", "share of the refusals that said when to come back", { value: refused === 0 ? Number.NaN : advised / refused }),
    once("latency p50", "ms", "time of a run that was accepted, from being sent", {
      value: report.p50Ms,
      details: { "p99 ms": report.p99Ms, runs: completed },
    }),
    once("memory", "MiB", "greatest resident memory of the node meanwhile; settled: in the first fifth", { value: atMost(memory), details: parts }),
    once("drained", "s", "from the end of the load until nothing was under way", { value: report.drainedMs / 1000 }),
    once("recovered", "s", "from the end of the load until ordinary clients had nine tenths of full speed", {
      value: report.recoveredMs / 1000,
      details: { "best runs/s": report.bestAfter },
    }),
  ];
}
