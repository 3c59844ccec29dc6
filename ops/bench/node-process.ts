/**
 * The node of the benchmarks, a process of its own: a node as `maestro start` makes one, with its defaults or what `MAESTRO_LANES`
 * and the like say. It counts commits, and starts runs itself for the figures without a gateway.
 */
import { systemClock } from "../../runtime/clock.ts";
import { loadConfig } from "../config.ts";
import { startNode } from "../node.ts";
import { closedLoop } from "./closed-loop.ts";
import { peerArgument, servePeer } from "./peer.ts";
import { HANDLERS_FOLDER, type LoadOrder, requireW1Result, W1 } from "./workload.ts";

/** What the node is started with. */
export interface NodeArgument {
  readonly pgUrl: string;
  readonly logFile: string;
}

/** An order to the node. */
export type NodeOrder = { readonly kind: "address" } | { readonly kind: "usage" } | LoadOrder;

/** Sums since the node started. */
export interface NodeUsage {
  /** CPU of the process, worker threads included. */
  readonly cpuUs: number;
  readonly commits: number;
  /** Writes of runs in these commits. */
  readonly writes: number;
}

const { pgUrl, logFile } = peerArgument<NodeArgument>();
const flags = { pgUrl, logFile, nodeName: "bench", grpcPort: "0", opsPort: "0", handlersFolder: HANDLERS_FOLDER };
const node = await startNode({ config: loadConfig({ env: process.env, flags }), prettyLog: false });
const clock = systemClock();
const journal = { commits: 0, writes: 0 };
node.events.on("journal.committed", ({ writes }) => {
  journal.commits++;
  journal.writes += writes;
});

async function answer(order: NodeOrder): Promise<unknown> {
  if (order.kind === "address") return node.grpcAddress;
  if (order.kind === "usage") {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system, ...journal } satisfies NodeUsage;
  }
  const { workflowId } = order;
  return closedLoop(order, clock, async () => {
    const request = { workflowId, input: W1.input, userId: "bench", labels: {}, traceParent: "" };
    const outcome = await node.runs.execute(request, new AbortController().signal);
    requireW1Result(outcome.status, outcome.output, outcome.error);
  });
}

servePeer(answer, () => node.stop());
