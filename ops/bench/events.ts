/**
 * What events on NATS cost, and how soon they are heard: W1 on a node without NATS, with the events of runs, and with those of tasks, in turn; and the lag
 * at a fixed rate, from the time in the event (the turn that decided it, so its commit is included) to a plain subscriber.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { type NatsServer, startNatsServer } from "../local-cluster/nats-server.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { type Installation, install } from "./installation.ts";
import type { Heard } from "./nats-listener.ts";
import type { NodeArgument } from "./node-process.ts";
import type { OverloadReport } from "./open-loop.ts";
import { Peer } from "./peer.ts";

const IN_FLIGHT = 300;
const LEVELS = ["without", "runs", "tasks"] as const;
const LAG_PER_SECOND = 1_000;
/** For events to arrive that are on their way. */
const LAST_MS = 300;

type Level = (typeof LEVELS)[number];

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
  const installed: [Level, Installation][] = [];
  for (const level of levels) installed.push([level, owned.use(await install(setting, extrasOf(level, nats.url)))]);
  for (const [level, installation] of installed) {
    setting.progress(`warming up: ${level}`);
    await installation.load({ workload: "w1", driver: "stream", inFlight: IN_FLIGHT, durationMs: setting.roundMs });
  }
  const speeds = await measureInTurn(
    setting,
    installed.map(([level, installation]) => throughput(setting, level, installation, nats)),
  );
  const listener = owned.use(new Peer(new URL("./nats-listener.ts", import.meta.url), setting.clock, { url: nats.url }));
  const lags = await measureInTurn(
    setting,
    installed.slice(1).map(([level, installation]) => lag(setting, level, installation, listener)),
  );
  return [...speeds, ...ratiosOf(speeds), ...lags];
}

function extrasOf(level: Level, natsUrl: string): Pick<NodeArgument, "flags"> {
  return level === "without" ? {} : { flags: { natsUrl, eventLevel: level } };
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

function lag({ clock, roundMs }: BenchSetting, level: Level, installation: Installation, listener: Peer): Measured {
  const round = async (): Promise<Round> => {
    await listener.ask<Heard>({});
    const order = { kind: "overload", driver: "stream", connections: 1, perSecond: LAG_PER_SECOND, durationMs: roundMs, fullSpeed: 0 } as const;
    const { durationMs } = await installation.askClient<OverloadReport>(order);
    await pause(LAST_MS, clock);
    const { count, p50Ms, p99Ms, maxMs } = await listener.ask<Heard>({});
    return { value: p50Ms, details: { "p99 ms": p99Ms, "longest ms": maxMs, "events/s": (count / durationMs) * 1000 } };
  };
  const about = `from an event's time to its subscriber at ${LAG_PER_SECOND} runs/s, with the events of ${level}`;
  return { label: { name: `lag ${level}, p50`, unit: "ms", about }, round };
}
