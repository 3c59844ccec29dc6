/**
 * The node of the benchmarks, a process of its own: a node as `maestro start` makes one, with its defaults or what `MAESTRO_LANES`
 * and the like say. It counts commits, and starts runs itself for the figures without a gateway.
 */
import { systemClock } from "../../runtime/clock.ts";
import type { RunId } from "../../runtime/ids.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { loadConfig } from "../config.ts";
import { startNode } from "../node.ts";
import { closedLoop, type LoadReport } from "./closed-loop.ts";
import { peerArgument, servePeer } from "./peer.ts";
import { awaitEnds, type EndsOrder } from "./storm-watch.ts";
import { HANDLERS_FOLDER, type LoadOrder, requireResult, type StartOrder, WORKLOADS } from "./workload.ts";

/** What the node is started with. */
export interface NodeArgument {
  readonly pgUrl: string;
  readonly logFile: string;
  /** Settings beside those of every benchmark. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** An order to the node. */
export type NodeOrder =
  | { readonly kind: "address" }
  | { readonly kind: "usage" }
  | { readonly kind: "memory" }
  /** Resident bytes, as they are. */
  | { readonly kind: "resident" }
  | { readonly kind: "signals"; readonly runId: string; readonly count: number; readonly inFlight: number }
  | EndsOrder
  | StartOrder
  | LoadOrder;

/** Sums since the node started. */
export interface NodeUsage {
  /** CPU of the process, worker threads included. */
  readonly cpuUs: number;
  readonly commits: number;
  /** Writes of runs in these commits. */
  readonly writes: number;
}

/** Memory of the process, worker threads included but for the heap. */
export interface NodeMemory {
  /** After a collection of garbage. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Reserved for the heap, used or not. */
  readonly reservedBytes: number;
  /** Greatest since the node started. */
  readonly peakBytes: number;
}

const { pgUrl, logFile, flags: more } = peerArgument<NodeArgument>();
const flags = { pgUrl, logFile, nodeName: "bench", grpcPort: "0", opsPort: "0", handlersFolder: HANDLERS_FOLDER, ...more };
const node = await startNode({ config: loadConfig({ env: process.env, flags }), prettyLog: false });
const clock = systemClock();
const journal = { commits: 0, writes: 0 };
node.events.on("journal.committed", ({ writes }) => {
  journal.commits++;
  journal.writes += writes;
});

async function answer(order: NodeOrder): Promise<unknown> {
  switch (order.kind) {
    case "address":
      return node.grpcAddress;
    case "usage":
      return usage();
    case "memory":
      return memory();
    case "resident":
      return process.memoryUsage.rss();
    case "signals":
      return signal(order.runId as RunId, order.count, order.inFlight);
    case "ends":
      return awaitEnds(order, node.events, clock);
    case "start":
      return start(order);
    case "load":
      return load(order);
  }
}

function usage(): NodeUsage {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, ...journal };
}

async function memory(): Promise<NodeMemory> {
  for (let collection = 0; collection < 3; collection++) {
    globalThis.gc?.();
    await pause(0, clock);
  }
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss, reservedBytes: heapTotal, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

function requestOf(workflowId: string, input: string): Parameters<typeof node.runs.start>[0] {
  return { workflowId, input, userId: "bench", labels: {}, traceParent: "" };
}

function load({ workload: name, workflowId, ...plan }: LoadOrder): Promise<LoadReport> {
  const workload = WORKLOADS[name];
  return closedLoop(plan, clock, async () => {
    const outcome = await node.runs.execute(requestOf(workflowId, workload.start.input), new AbortController().signal);
    requireResult(workload, outcome.status, outcome.output, outcome.error);
  });
}

function start({ workflows, input, ...plan }: StartOrder): Promise<LoadReport> {
  let next = 0;
  return closedLoop(plan, clock, async () => {
    const { workflowId = "" } = workflows[next++ % workflows.length] ?? {};
    await node.runs.start(requestOf(workflowId, input));
  });
}

function signal(runId: RunId, count: number, inFlight: number): Promise<LoadReport> {
  let next = 0;
  return closedLoop({ inFlight, operations: count, durationMs: 600_000 }, clock, async () => {
    const number = next++;
    await node.runs.signal(runId, { name: "step", payload: JSON.stringify({ sender: 0, number }), signalId: `0-${number}` });
  });
}

servePeer(answer, () => node.stop());
