/**
 * Workload W4: one run with a very long history. Whether its last steps cost more than its first, how long a node takes to read it back, and how
 * long a page from the middle of its history takes.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { millisecondsOf } from "../cli/wire.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, latencyRound, percentile, type Round } from "./benchmark.ts";
import { type Installation, install } from "./installation.ts";
import { SIGNAL } from "./signal-load.ts";
import { longDocument } from "./workflows.ts";
import { NAMESPACE } from "./workload.ts";

/** The history is timed in this many parts. Medians of parts are compared, so that a disturbance of the machine counts little. */
const PARTS = 40;
/** So many parts are the first, and so many the last. */
const COMPARED = 10;
/** Iterations of the outer loop of a run before. */
const WARM_UP_OUTER = 10;
const PAGE_ROWS = 100;
const PAGES_READ = 20;
const POLL_MS = 20;

/** A run to measure: what its steps are, and how many. */
interface Shape {
  readonly name: string;
  readonly about: string;
  readonly task: string;
  /** Iterations of the inner loop. */
  readonly inner: number;
  /** Iterations of the outer loop: short, and with `--long`. */
  readonly outer: readonly [number, number];
}

const SHAPES: readonly Shape[] = [
  { name: "set", about: "tasks without a worker", task: "{ set: { done: true } }", inner: 1_000, outer: [200, 1_000] },
  { name: "call", about: "calls, each committed before the next begins", task: "{ call: noop@default }", inner: 500, outer: [10, 200] },
];

/** `npm run bench -- long`. */
export const long: Benchmark = {
  name: "long",
  about: "One run of very many steps (W4): the last against the first, reading it back, and a page of its history.",
  async measure(setting) {
    setting.progress("starting PostgreSQL, a node and a client");
    await using installation = await install(setting);
    await installation.load({ workload: "w1", driver: "in process", inFlight: 1, durationMs: setting.roundMs });
    const figures: Figure[] = [];
    for (const shape of SHAPES) figures.push(...(await measureShape(setting, installation, shape)));
    return figures;
  },
};

async function measureShape(setting: BenchSetting, installation: Installation, shape: Shape): Promise<readonly Figure[]> {
  const outer = Math.max(1, Math.round(shape.outer[setting.long ? 1 : 0] * setting.scale));
  const steps = outer * shape.inner;
  setting.progress(`a run of ${steps} steps: ${shape.about}`);
  await execute(setting, installation, shape, Math.min(outer, WARM_UP_OUTER));
  const run = await execute(setting, installation, shape, outer);
  const page = await readPages(setting, installation.address, run);
  await installation.stop();
  await installation.start();
  const readBackMs = await readBack(setting, installation.address, run.runId);
  const named = (name: string, unit: string, about: string, round: Round): Figure =>
    figureOf({ name: `W4 ${shape.name}, ${name}`, unit, about }, [round]);
  const details = { "first us/step": run.firstUs, "last us/step": run.lastUs, entries: run.entries };
  return [
    named(`${steps} steps`, "steps/s", `steps of one run, one after the other: ${shape.about}`, { value: (steps / run.elapsedMs) * 1000, details }),
    named("last / first", "x", "time of the last steps against that of the first: medians of ten of forty parts each", {
      value: run.lastUs / run.firstUs,
    }),
    named("read back", "ms", "time of the first call to the run after a restart of the node", { value: readBackMs }),
    named("page", "us", `a page of ${PAGE_ROWS} entries from the middle of the history`, page),
  ];
}

interface LongRun {
  readonly runId: string;
  readonly entries: number;
  readonly elapsedMs: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

/** Runs a document up to where it waits for its signal. The times are those of its history. */
async function execute({ clock, signal }: BenchSetting, installation: Installation, shape: Shape, outer: number): Promise<LongRun> {
  const { workflow } = await installation.deploy(longDocument(`long-${shape.name}-${outer}`, shape.task, outer, shape.inner));
  using client = connect(installation.address);
  const { runId } = await client.start({ namespace: NAMESPACE, workflow });
  while (!(await isParked(client, runId))) {
    signal.throwIfAborted();
    await pause(POLL_MS, clock);
  }
  const { lastSeq: entries } = await client.getRun(runId);
  const ends = Array.from({ length: PARTS + 1 }, (_none, part) => Math.max(1, Math.floor((entries * part) / PARTS)));
  const timesMs = await Promise.all(ends.map((seq) => timeAt(client, runId, seq)));
  const partsMs = timesMs.slice(1).map((timeMs, part) => timeMs - (timesMs[part] ?? Number.NaN));
  const usPerStep = (parts: number[]): number =>
    (percentile(
      parts.sort((a, b) => a - b),
      0.5,
    ) *
      1000 *
      PARTS) /
    (outer * shape.inner);
  const elapsedMs = (timesMs.at(-1) ?? Number.NaN) - (timesMs[0] ?? Number.NaN);
  return { runId, entries, elapsedMs, firstUs: usPerStep(partsMs.slice(0, COMPARED)), lastUs: usPerStep(partsMs.slice(-COMPARED)) };
}

/** True if the run waits for its signal. @throws Error it has ended. */
async function isParked(client: MaestroClient, runId: string): Promise<boolean> {
  const { activeTasks, endedAt, error } = await client.getRun(runId);
  if (endedAt !== undefined) throw new Error(`the long run ended before its time: ${JSON.stringify(error)}`);
  return activeTasks.some((task) => task.name === "stay");
}

async function timeAt(client: MaestroClient, runId: string, fromSeq: number): Promise<number> {
  const { entries } = await client.history({ runId, fromSeq, pageSize: 1 });
  return millisecondsOf(entries[0]?.at);
}

async function readPages({ clock }: BenchSetting, address: string, { runId, entries }: LongRun): Promise<Round> {
  using client = connect(address);
  const latenciesUs: number[] = [];
  for (let page = 0; page < PAGES_READ; page++) {
    const startMs = clock.monotonic();
    await client.history({ runId, fromSeq: Math.floor(entries / 2) + page * PAGE_ROWS, pageSize: PAGE_ROWS });
    latenciesUs.push((clock.monotonic() - startMs) * 1000);
  }
  return latencyRound(latenciesUs);
}

/** How long the run's first answer takes, on a connection that is open. Then the run is let go, and must end well. */
async function readBack({ clock }: BenchSetting, address: string, runId: string): Promise<number> {
  using client = connect(address);
  await client.listRuns({ namespace: NAMESPACE, pageSize: 1 });
  const startMs = clock.monotonic();
  await client.getRun(runId);
  const readBackMs = clock.monotonic() - startMs;
  await client.signal({ runId, name: SIGNAL });
  const { output, error } = await client.awaitRun(runId);
  if (error !== undefined || output === "") throw new Error(`the long run did not end well: ${JSON.stringify(error)}`);
  return readBackMs;
}
