/**
 * Three times the load that the node can take, for a time: what it refuses and how, how long the accepted ones take, how much memory it needs, and
 * when it is at full speed again.
 */
import { type Benchmark, type BenchSetting, type Figure, figureOf, percentile, type Round } from "./benchmark.ts";
import { type Installation, install } from "./installation.ts";
import type { NodeMemory } from "./node-process.ts";
import type { OverloadReport } from "./open-loop.ts";

const TIMES = 3;
/** Each may have as many requests under way as one stream takes; together more than a node has runs. */
const CONNECTIONS = 40;
const DURATION_MS = 20_000;
const LONG_DURATION_MS = 300_000;
const IN_FLIGHT = 300;
const MIB = 2 ** 20;

/** `npm run bench -- overload`. */
export const overload: Benchmark = {
  name: "overload",
  about: `${TIMES} times the possible load of W1 for a time: refusals, latency of what is accepted, memory, recovery.`,
  async measure(setting) {
    setting.progress("starting PostgreSQL, a node and a client");
    await using installation = await install(setting);
    const fullSpeed = await measureFullSpeed(setting, installation);
    const memory = await installation.askNode<NodeMemory>({ kind: "memory" });
    const durationMs = (setting.long ? LONG_DURATION_MS : DURATION_MS) * setting.scale;
    setting.progress(`${TIMES} times ${Math.round(fullSpeed)} runs/s for ${durationMs / 1000} s`);
    const order = { kind: "overload", connections: CONNECTIONS, perSecond: TIMES * fullSpeed, durationMs, fullSpeed } as const;
    const report = await installation.askClient<OverloadReport>(order);
    const after = await installation.askNode<NodeMemory>({ kind: "memory" });
    return figuresOf(fullSpeed, report, memory, after, setting);
  },
};

/** Runs per second of ordinary clients, after as long a warm-up. */
async function measureFullSpeed({ roundMs, rounds, progress }: BenchSetting, installation: Installation): Promise<number> {
  const speeds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    progress(`full speed, round ${round}`);
    const { load } = await installation.load({ workload: "w1", driver: "stream", inFlight: IN_FLIGHT, durationMs: roundMs });
    if (round > 0) speeds.push((load.operations / load.elapsedMs) * 1000);
  }
  speeds.sort((a, b) => a - b);
  return percentile(speeds, 0.5);
}

function figuresOf(fullSpeed: number, report: OverloadReport, before: NodeMemory, after: NodeMemory, setting: BenchSetting): readonly Figure[] {
  const { sent, heldBack, completed, completedInTime, refused, advised, codes, durationMs } = report;
  const rate = (count: number): number => (count / durationMs) * 1000;
  const once = (name: string, unit: string, about: string, round: Round): Figure => figureOf({ name: `overload, ${name}`, unit, about }, [round]);
  if (codes.length > 0) setting.remark(`Refusals had the codes ${codes.join(", ")}; ${advised} of ${refused} said when to come back.`);
  const asked = { "asked/s": rate(sent + heldBack), "sent/s": rate(sent), "refused/s": rate(refused) };
  const heap = { "before MiB": before.residentBytes / MIB, "after MiB": after.residentBytes / MIB, "heap after MiB": after.heapBytes / MIB };
  return [
    once("full speed", "runs/s", `runs of ${IN_FLIGHT} ordinary clients over one stream, before; the median of the rounds`, { value: fullSpeed }),
    once("completed", "runs/s", `runs completed while ${TIMES} times as many were asked for`, { value: rate(completedInTime), details: asked }),
    once("share advised", "x", "share of the refusals that said when to come back", { value: refused === 0 ? Number.NaN : advised / refused }),
    once("latency p50", "ms", "time of a run that was accepted", { value: report.p50Ms, details: { "p99 ms": report.p99Ms, runs: completed } }),
    once("memory", "MiB", "greatest resident memory of the node", { value: after.peakBytes / MIB, details: heap }),
    once("drained", "s", "from the end of the load until nothing was under way", { value: report.drainedMs / 1000 }),
    once("recovered", "s", "from the end of the load until ordinary clients had nine tenths of full speed", {
      value: report.recoveredMs / 1000,
      details: { "best runs/s": report.bestAfter },
    }),
  ];
}
