/**
 * What events on NATS cost, and how soon they are heard: W1 on a node without NATS, with the events of runs, and with those of tasks, in turn; and the lag
 * at a fixed rate, from the commit, as PostgreSQL dates it, to a plain subscriber.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { type NatsServer, startNatsServer } from "../local-cluster/nats-server.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, type Measured, measureInTurn, percentile, type Round } from "./benchmark.ts";
import { type Installation, type InstallOptions, install } from "./installation.ts";
import { COMMIT_TIMES, JournalTimes } from "./journal-times.ts";
import type { HeardEvent } from "./nats-listener.ts";
import type { OverloadReport } from "./open-loop.ts";
import { Peer } from "./peer.ts";

const IN_FLIGHT = 300;
const LEVELS = ["without", "runs", "tasks"] as const;
const LAG_PER_SECOND = 1_000;
/** For events to arrive that are on their way. */
const LAST_MS = 300;

type Level = (typeof LEVELS)[number];

interface Served {
  readonly installation: Installation;
  readonly times: JournalTimes;
}

/** `npm run bench -- events`. */
export const events: Benchmark = {
  name: "events",
  about: "Events on NATS: throughput of W1 with and without, CPU by process, lag until a plain subscriber hears them.",
  measure: (setting) => measureEvents(setting, LEVELS),
};

/** The figures of some levels, of which the first is "without". */
export async function measureEvents(setting: BenchSetting, levels: readonly Level[]): Promise<readonly Figure[]> {
  await using owned = new AsyncDisposableStack();
  setting.progress("starting NATS, and for each level PostgreSQL, node and client");
  const nats = owned.use(await startNatsServer({ clock: setting.clock, hasJetStream: true }));
  const served: [Level, Served][] = [];
  for (const level of levels) {
    const installation = owned.use(await install(setting, optionsOf(level, nats.url)));
    served.push([level, { installation, times: owned.use(await JournalTimes.open(installation.pgUrl)) }]);
  }
  for (const [level, { installation }] of served) {
    setting.progress(`warming up: ${level}`);
    await installation.load({ workload: "w1", driver: "stream", inFlight: IN_FLIGHT, durationMs: setting.roundMs });
  }
  const speeds = await measureInTurn(
    setting,
    served.map(([level, { installation }]) => throughput(setting, level, installation, nats)),
  );
  const listener = owned.use(new Peer(new URL("./nats-listener.ts", import.meta.url), setting.clock, { url: nats.url }));
  const lags = await measureInTurn(
    setting,
    served.slice(1).map(([level, each]) => lag(setting, level, each, listener)),
  );
  return [...speeds, ...ratiosOf(speeds), ...lags];
}

function optionsOf(level: Level, natsUrl: string): InstallOptions {
  return { pgSettings: COMMIT_TIMES, ...(level !== "without" && { flags: { natsUrl, eventLevel: level } }) };
}

function throughput({ roundMs }: BenchSetting, level: Level, installation: Installation, nats: NatsServer): Measured {
  const about = level === "without" ? "without NATS" : `with the events of ${level}`;
  const round = async (): Promise<Round> => {
    const before = await nats.program.cpuUs();
    const { load, nodeCpuUs, pgCpuUs } = await installation.load({ workload: "w1", driver: "stream", inFlight: IN_FLIGHT, durationMs: roundMs });
    const runs = load.operations;
    const details = { "p99 ms": load.p99Ms, "node us/run": nodeCpuUs / runs, "pg us/run": pgCpuUs / runs };
    return { value: (runs / load.elapsedMs) * 1000, details: { ...details, "nats us/run": ((await nats.program.cpuUs()) - before) / runs } };
  };
  return { label: { name: `W1a ${level}`, unit: "runs/s", about: `completed runs with ${IN_FLIGHT} in flight, ${about}` }, round };
}

/** Each against what was measured without NATS. */
function ratiosOf(speeds: readonly Figure[]): readonly Figure[] {
  const [base, ...others] = speeds;
  return others.map(({ name, median }) =>
    figureOf({ name: `${name} / without`, unit: "", about: "ratio of the medians" }, [{ value: median / (base?.median ?? Number.NaN) }]),
  );
}

function lag({ clock, roundMs }: BenchSetting, level: Level, { installation, times }: Served, listener: Peer): Measured {
  const round = async (): Promise<Round> => {
    await listener.ask<readonly HeardEvent[]>({});
    const sinceMs = clock.now();
    const order = { kind: "overload", driver: "stream", connections: 1, perSecond: LAG_PER_SECOND, durationMs: roundMs, fullSpeed: 0 } as const;
    const { durationMs } = await installation.askClient<OverloadReport>(order);
    await pause(LAST_MS, clock);
    const heard = await listener.ask<readonly HeardEvent[]>({});
    const { p50Ms, p99Ms, maxMs } = tailOf(lagsOf(heard, await times.commitsSince(sinceMs)));
    const decided = tailOf(heard.map(({ decidedMs, heardMs }) => heardMs - decidedMs));
    const rest = { "longest ms": maxMs, "p99 ms from the decision": decided.p99Ms, "events/s": (heard.length / durationMs) * 1000 };
    return { value: p50Ms, details: { "p99 ms": p99Ms, ...rest } };
  };
  const about = `from an event's commit to its subscriber at ${LAG_PER_SECOND} runs/s, with the events of ${level}`;
  return { label: { name: `lag ${level}, p50`, unit: "ms", about }, round };
}

/** How long after its commit each event came, in milliseconds. @throws Error the journal knows nothing of an event */
function lagsOf(heard: readonly HeardEvent[], commits: Awaited<ReturnType<JournalTimes["commitsSince"]>>): readonly number[] {
  return heard.map(({ runId, seq, heardMs }) => {
    const row = commits.get(runId)?.findLast(([firstSeq]) => firstSeq <= seq);
    if (row === undefined) throw new Error(`an event of run ${runId} came, and the journal has no entry ${seq}`);
    return heardMs - row[1];
  });
}

function tailOf(values: readonly number[]): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: sorted.at(-1) ?? Number.NaN };
}
