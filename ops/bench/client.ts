/**
 * The client of the benchmarks, a process of its own: makes load with the product's own gRPC client, as any Node.js program would.
 */
import { connect } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import type { RunStatus as WireStatus } from "../../proto/gen/maestro/v1/common.ts";
import { systemClock } from "../../runtime/clock.ts";
import { closedLoop } from "./closed-loop.ts";
import { peerArgument, servePeer } from "./peer.ts";
import { type Driver, type LoadOrder, requireW1Result, W1 } from "./workload.ts";

/** What the client is started with. */
export interface ClientArgument {
  /** `host:port` of the gateway. */
  readonly address: string;
}

interface RunEnd {
  readonly status: WireStatus;
  readonly output: string;
  readonly error: unknown;
}

const clock = systemClock();
const client = connect(peerArgument<ClientArgument>().address);

const DRIVERS: Readonly<Record<Exclude<Driver, "in process">, () => Promise<RunEnd>>> = {
  stream: () => client.execute(W1),
  unary: async () => client.awaitRun((await client.start(W1)).runId),
};

async function answer({ driver, ...plan }: LoadOrder): Promise<unknown> {
  if (driver === "in process") throw new Error("a client is not in the node's process");
  const run = DRIVERS[driver];
  return closedLoop(plan, clock, async () => {
    const { status, output, error } = await run();
    requireW1Result(statusOf(status) ?? String(status), output, error);
  });
}

servePeer(answer, () => client.close());
