/**
 * The load of signals into one run: several senders, each with a connection of its own and many unary calls under way. A sender numbers its
 * signals in the order in which it sends them.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { closedLoop, type LoadReport } from "./closed-loop.ts";

/** Name of the signals. */
export const SIGNAL = "step";

/** Longest time for one load, in milliseconds. */
const TIMEOUT_MS = 600_000;

/** An order to send signals. */
export interface SignalOrder {
  readonly kind: "signals";
  readonly runId: string;
  readonly senders: number;
  /** Calls under way of each sender. */
  readonly inFlight: number;
  /** Signals of each sender. */
  readonly count: number;
  /** Wait until the run has ended, too. */
  readonly untilEnded: boolean;
}

/** What came of it. */
export interface SignalReport {
  /** Over the acknowledgements. The operations and CPU are those of all senders. */
  readonly load: LoadReport;
  /** Until the run had ended, if it was awaited. */
  readonly endedMs: number;
}

/** Sends the signals. */
export async function sendSignals(order: SignalOrder, address: string, clock: Clock): Promise<SignalReport> {
  const clients = Array.from({ length: order.senders }, () => connect(address));
  try {
    for (const client of clients) await client.getRun(order.runId);
    const startMs = clock.monotonic();
    const ended = order.untilEnded ? clients[0]?.awaitRun(order.runId) : undefined;
    const { user, system } = process.cpuUsage();
    const loads = await Promise.all(clients.map((client, sender) => send(order, client, sender, clock)));
    const after = process.cpuUsage();
    await ended;
    const endedMs = clock.monotonic() - startMs;
    return { load: together(loads, after.user + after.system - user - system), endedMs };
  } finally {
    for (const client of clients) client.close();
  }
}

function send({ runId, inFlight, count }: SignalOrder, client: MaestroClient, sender: number, clock: Clock): Promise<LoadReport> {
  let next = 0;
  return closedLoop({ inFlight, operations: count, durationMs: TIMEOUT_MS }, clock, async () => {
    const number = next++;
    await client.signal({ runId, name: SIGNAL, payload: JSON.stringify({ sender, number }), signalId: `${sender}-${number}` });
  });
}

/** The senders began together; what they saw differs little, so the worst stands for all. */
function together(loads: readonly LoadReport[], cpuUs: number): LoadReport {
  const worst = (value: (load: LoadReport) => number): number => Math.max(...loads.map(value));
  return {
    operations: loads.reduce((sum, load) => sum + load.operations, 0),
    elapsedMs: worst((load) => load.elapsedMs),
    cpuUs,
    p50Ms: worst((load) => load.p50Ms),
    p95Ms: worst((load) => load.p95Ms),
    p99Ms: worst((load) => load.p99Ms),
  };
}
