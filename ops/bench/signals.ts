/**
 * Workload W5: signals into one run, from one or several senders with many unary calls under way. The run takes them one by one and proves by its
 * output that each came once, and in the order in which its sender sent them.
 */
import { connect } from "../../gateway/grpc-client.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Benchmark, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import type { LoadReport } from "./closed-loop.ts";
import { openGrpcEcho } from "./grpc-ceiling.ts";
import { type Installation, install, type LoadCost } from "./installation.ts";
import type { SignalReport } from "./signal-load.ts";
import { PARKED_DOCUMENTS, SIGNALS_DOCUMENT } from "./workflows.ts";
import { type Deployed, NAMESPACE } from "./workload.ts";

/** Signals of one round. */
const COUNT = 10_000;
const LONG_COUNT = 100_000;
/** Senders, and calls under way of each. */
const SENDERS: readonly (readonly [number, number])[] = [
  [1, 100],
  [1, 300],
  [3, 100],
];
const IN_PROCESS_IN_FLIGHT = 300;
/** Of the unary echo beside it. */
const ECHO_IN_FLIGHT = 300;
/** A run keeps only so many signals that nobody takes. */
const KEPT = LIMITS.bufferedSignals * 0.9;

/** `npm run bench -- signals`. */
export const signals: Benchmark = {
  name: "signals",
  about: "Signals into one run (W5), each once and in order.",
  async measure(setting) {
    setting.progress("starting PostgreSQL, a node and a client");
    await using owned = new AsyncDisposableStack();
    const echo = owned.use(await openGrpcEcho(setting));
    const installation = owned.use(await install(setting));
    const count = (setting.long ? LONG_COUNT : COUNT) * setting.scale;
    const consumer = await installation.deploy(SIGNALS_DOCUMENT);
    const [keeper] = await Promise.all(PARKED_DOCUMENTS.slice(0, 1).map((document) => installation.deploy(document)));
    const things = [
      echo.unary(ECHO_IN_FLIGHT),
      ...SENDERS.map(([senders, inFlight]) => taken(installation, consumer, senders, inFlight, count)),
      takenInProcess(installation, consumer, count),
      kept(installation, keeper ?? consumer, KEPT * setting.scale),
    ];
    setting.progress("warming up");
    await taken(installation, consumer, 1, ECHO_IN_FLIGHT, count).round();
    return await measureInTurn(setting, things);
  },
};

/** Until the run has taken the last of them and ended. */
function taken(installation: Installation, consumer: Deployed, senders: number, inFlight: number, count: number): Measured {
  const round = async (): Promise<Round> => {
    const each = Math.floor(count / senders);
    const runId = await begin(installation, consumer, { count: each * senders, senders });
    let endedMs = Number.NaN;
    const cost = await installation.costOf(async () => {
      const order = { kind: "signals", runId, senders, inFlight, count: each, untilEnded: true } as const;
      const report = await installation.askClient<SignalReport>(order);
      endedMs = report.endedMs;
      return report.load;
    });
    await requireOrder(installation, runId, each, senders);
    return { value: (each * senders * 1000) / endedMs, details: costOf(cost) };
  };
  const about = `signals that one run took, each sent by a unary call, ${senders} connections with ${inFlight} calls under way`;
  return { label: { name: `W5 taken, ${senders} x ${inFlight}`, unit: "signals/s", about }, round };
}

/** The same inside the node, without gateway and client. */
function takenInProcess(installation: Installation, consumer: Deployed, count: number): Measured {
  const round = async (): Promise<Round> => {
    const runId = await begin(installation, consumer, { count, senders: 1 });
    const order = { kind: "signals", runId, count, inFlight: IN_PROCESS_IN_FLIGHT } as const;
    const cost = await installation.costOf(() => installation.askNode<LoadReport>(order));
    await requireOrder(installation, runId, count, 1);
    return { value: (count * 1000) / cost.load.elapsedMs, details: costOf(cost) };
  };
  return { label: { name: "W5 taken, in process", unit: "signals/s", about: "the same inside the node, without gateway and client" }, round };
}

/** Signals that nobody takes. */
function kept(installation: Installation, keeper: Deployed, count: number): Measured {
  const [senders, inFlight] = [1, ECHO_IN_FLIGHT];
  const round = async (): Promise<Round> => {
    const runId = await begin(installation, keeper, {});
    const order = { kind: "signals", runId, senders, inFlight, count, untilEnded: false } as const;
    const cost = await installation.costOf(async () => (await installation.askClient<SignalReport>(order)).load);
    using client = connect(installation.address);
    await client.terminate(runId);
    return { value: (count * 1000) / cost.load.elapsedMs, details: costOf(cost) };
  };
  const about = `signals that one run keeps and nobody takes, one connection with ${inFlight} calls under way`;
  return { label: { name: `W5 kept, ${senders} x ${inFlight}`, unit: "signals/s", about }, round };
}

async function begin(installation: Installation, { workflow }: Deployed, input: object): Promise<string> {
  using client = connect(installation.address);
  const { runId } = await client.start({ namespace: NAMESPACE, workflow, input: JSON.stringify(input) });
  return runId;
}

/** @throws Error a signal was lost, doubled, or out of its sender's order. */
async function requireOrder(installation: Installation, runId: string, each: number, senders: number): Promise<void> {
  using client = connect(installation.address);
  const { output } = await client.awaitRun(runId);
  const next = Array.from({ length: senders }, () => each);
  const expected = { count: each * senders, next, seen: each * senders, disorder: 0 };
  const seen = JSON.parse(output || "null") as Record<string, unknown> | null;
  for (const [name, value] of Object.entries(expected)) {
    if (JSON.stringify(seen?.[name]) === JSON.stringify(value)) continue;
    throw new Error(`the run of the benchmark took its signals wrongly: ${output}, where ${JSON.stringify(expected)} was sent`);
  }
}

function costOf({ load, nodeCpuUs, pgCpuUs, commits, writes, walBytes }: LoadCost): Record<string, number> {
  const signal = load.operations;
  return {
    "p50 ms": load.p50Ms,
    "p99 ms": load.p99Ms,
    "node us/signal": nodeCpuUs / signal,
    "pg us/signal": pgCpuUs / signal,
    "client us/signal": load.cpuUs / signal,
    "signals/commit": signal / commits,
    "writes/commit": writes / commits,
    "WAL bytes/signal": walBytes / signal,
  };
}
