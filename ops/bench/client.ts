/**
 * The client of the benchmarks, a process of its own: makes load with the product's own gRPC client, as any Node.js program would.
 */
import { connect } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import type { RunStatus as WireStatus } from "../../proto/gen/maestro/v1/common.ts";
import { systemClock } from "../../runtime/clock.ts";
import { closedLoop, type LoadReport } from "./closed-loop.ts";
import { type OverloadOrder, overload } from "./open-loop.ts";
import { peerArgument, servePeer } from "./peer.ts";
import { type SignalOrder, sendSignals } from "./signal-load.ts";
import { type Driver, type LoadOrder, NAMESPACE, requireResult, type StartOrder, WORKLOADS } from "./workload.ts";

/** What the client is started with. */
export interface ClientArgument {
  /** `host:port` of the gateway. */
  readonly address: string;
}

/** An order to the client. */
export type ClientOrder = LoadOrder | StartOrder | SignalOrder | OverloadOrder;

interface RunEnd {
  readonly status: WireStatus;
  readonly output: string;
  readonly error: unknown;
}

type Start = (typeof WORKLOADS)[keyof typeof WORKLOADS]["start"];

const clock = systemClock();
const { address } = peerArgument<ClientArgument>();
const client = connect(address);

const DRIVERS: Readonly<Record<Exclude<Driver, "in process">, (start: Start) => Promise<RunEnd>>> = {
  stream: (start) => client.execute(start),
  unary: (start) => client.startAndWait(start),
};

async function answer(order: ClientOrder): Promise<unknown> {
  switch (order.kind) {
    case "load":
      return load(order);
    case "start":
      return start(order);
    case "signals":
      return sendSignals(order, address, clock);
    case "overload":
      return overload(order, address, clock);
  }
}

async function load({ driver, workload: name, ...plan }: LoadOrder): Promise<LoadReport> {
  if (driver === "in process") throw new Error("a client is not in the node's process");
  const [run, workload] = [DRIVERS[driver], WORKLOADS[name]];
  return closedLoop(plan, clock, async () => {
    const { status, output, error } = await run(workload.start);
    requireResult(workload, statusOf(status) ?? String(status), output, error);
  });
}

function start({ workflows, input, ...plan }: StartOrder): Promise<LoadReport> {
  let next = 0;
  return closedLoop(plan, clock, async () => {
    const { workflow = "" } = workflows[next++ % workflows.length] ?? {};
    await client.start({ namespace: NAMESPACE, workflow, input });
  });
}

servePeer(answer, () => client.close());
