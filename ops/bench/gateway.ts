/**
 * The gRPC gateway alone: client and gateway as in `core`, each a process of its own, and runs behind it that end at once.
 */
import { type Benchmark, type BenchSetting, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import type { ClientArgument } from "./client.ts";
import type { LoadReport } from "./closed-loop.ts";
import type { GatewayUsage } from "./gateway-process.ts";
import { Peer } from "./peer.ts";
import type { Driver, LoadOrder } from "./workload.ts";

const LOADS: readonly (readonly [Driver, number])[] = [
  ["stream", 1],
  ["stream", 300],
  ["stream", 1_000],
  ["unary", 1],
  ["unary", 300],
];
const WARM_UP = { inFlight: 300, durationMs: 1_000 };

/** `npm run bench -- gateway`. */
export const gateway: Benchmark = {
  name: "gateway",
  about: "The gRPC gateway and its client alone, with runs behind it that end at once.",
  async measure(setting) {
    const { clock } = setting;
    await using server = new Peer(new URL("./gateway-process.ts", import.meta.url), clock);
    const argument: ClientArgument = { address: await server.ask<string>("address") };
    await using client = new Peer(new URL("./client.ts", import.meta.url), clock, argument);
    for (const driver of ["stream", "unary"] as const) await load(client, driver, WARM_UP);
    return await measureInTurn(
      setting,
      LOADS.map(([driver, inFlight]) => measured(setting, server, client, driver, inFlight)),
    );
  },
};

function measured(setting: BenchSetting, server: Peer, client: Peer, driver: Driver, inFlight: number): Measured {
  const how = driver === "stream" ? "over one Execute stream" : "each by two unary calls, Start and Get(wait)";
  const label = { name: `gateway ${driver}, ${inFlight}`, unit: "runs/s", about: `runs that end at once, ${inFlight} in flight, ${how}` };
  const round = async (): Promise<Round> => {
    const before = await server.ask<GatewayUsage>("usage");
    const { operations, elapsedMs, cpuUs, p50Ms, p99Ms } = await load(client, driver, { inFlight, durationMs: setting.roundMs });
    const after = await server.ask<GatewayUsage>("usage");
    const serverUs = (after.cpuUs - before.cpuUs) / operations;
    return {
      value: (operations / elapsedMs) * 1000,
      details: { "p50 ms": p50Ms, "p99 ms": p99Ms, "gateway us/run": serverUs, "client us/run": cpuUs / operations },
    };
  };
  return { label, round };
}

function load(client: Peer, driver: Driver, plan: { inFlight: number; durationMs: number }): Promise<LoadReport> {
  return client.ask<LoadReport>({ kind: "load", workload: "w1", driver, workflowId: "", ...plan } satisfies LoadOrder);
}
