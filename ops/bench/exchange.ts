/**
 * Tasks across nodes: an attempt that the node's own pool takes, with and without the exchange around it, and one that another node executes, over a real NATS
 * server. Both nodes are in this process and share its main thread, so the rate of two processes is higher; the CPU is that of both.
 */

import { openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { EventHub } from "../../runtime/events.ts";
import { Exchange } from "../../runtime/exchange/exchange.ts";
import { type BootId, newBootId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import { startWorkerPool } from "../../runtime/workers/tiered-pool.ts";
import { startNatsServer } from "../local-cluster/nats-server.ts";
import { loaded, REST_MS, rested, submitter } from "./attempts.ts";
import { type Benchmark, type BenchSetting, type Measured, measureInTurn } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { HANDLERS_FOLDER } from "./workload.ts";

const WARM_UP = { inFlight: 300, durationMs: 500 };
/** For two nodes to connect and to hear of each other, in milliseconds. */
const ACQUAINTANCE_MS = 1_500;

/** `npm run bench -- exchange`. */
export const exchange: Benchmark = {
  name: "exchange",
  about: "Task attempts through another node, over NATS, beside those that a node executes itself.",
  async measure(setting) {
    await using owned = new AsyncDisposableStack();
    const { clock } = setting;
    const nats = owned.use(await startNatsServer({ clock }));
    const workers = await startWorkerPool({ clock, events: new EventHub(), threads: 1, handlersFolder: HANDLERS_FOLDER });
    owned.defer(() => workers.stop(1_000));
    const [both, engine, executor] = [newBootId(setting.random), newBootId(setting.random), newBootId(setting.random)];
    // The first has slots and no other node beside it; of the others one has runs, and one executes.
    const alone = open(setting, owned, nats.url, { self: both, clusterName: "bench-alone", slots: LIMITS.tasksPerThread, local: workers });
    const lender = open(setting, owned, nats.url, { self: engine, clusterName: "bench", slots: 0, local: workers });
    const borrower = open(setting, owned, nats.url, { self: executor, clusterName: "bench", slots: LIMITS.tasksPerThread, local: workers });
    for (const one of [lender, borrower]) one.show(viewOf(engine, executor));
    await pause(ACQUAINTANCE_MS, clock);
    const pools: [string, string, WorkerPool][] = [
      ["direct", "in the node's own pool, without an exchange", workers],
      ["local", "in the node's own pool, through the exchange", alone.pool],
      ["remote", "on another node", lender.pool],
    ];
    for (const [, , pool] of pools) await closedLoop(WARM_UP, clock, submitter(pool, "noop"));
    return await measureInTurn(
      setting,
      pools.flatMap(([name, where, pool]) => figures(setting, name, where, pool)),
    );
  },
};

function figures({ clock, roundMs: durationMs }: BenchSetting, name: string, where: string, pool: WorkerPool): readonly Measured[] {
  const loads = [100, 1_000].map((inFlight): Measured => {
    const label = { name: `${name}, ${inFlight}`, unit: "attempts/s", about: `attempts with ${inFlight} in flight, ${where}` };
    return { label, round: () => loaded(pool, "noop", { inFlight, durationMs }, clock) };
  });
  const about = `one attempt after ${REST_MS} ms without any, ${where}`;
  return [...loads, { label: { name: `${name}, at rest`, unit: "us", about }, round: () => rested(pool, durationMs, clock) }];
}

/** What differs between the nodes. */
interface BenchNode {
  readonly self: BootId;
  readonly clusterName: string;
  readonly slots: number;
  readonly local: WorkerPool;
}

function open({ clock, random }: BenchSetting, owned: AsyncDisposableStack, url: string, node: BenchNode): Exchange {
  const events = new EventHub();
  const bus = openNatsBus({ url, name: node.self, clock, random, events });
  const opened = new Exchange({ bus, clock, random, events, ...node, serves: [], knows: () => true });
  opened.start();
  owned.defer(async () => {
    opened.stop();
    await bus.close();
  });
  return opened;
}

function viewOf(...members: readonly BootId[]) {
  const nodes = members.map((bootId) => ({ bootId, nodeName: bootId, state: "live" as const, roles: ["engine", "executor"] }));
  return { version: 1, nodes, ownerOf: () => undefined };
}
