/**
 * A rolling restart under load: three processes, asked to end (SIGTERM) and started again one after the other, each when the one before has its shards back.
 *
 * The clients are of the plain kind: one channel to all gateways, which gRPC uses in turn; nothing is called a second time, but for the wait for a
 * run's end, which MaestroClient asks again by itself. Every call that fails counts.
 *
 * A stall is counted twice over: by clients, as the time of a run of three steps beyond the median; and in the store, as the longest time between two
 * committed rows of such a run, which has work at any time.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { statusOf } from "../../gateway/grpc-messages.ts";
import { toMaestroError } from "../../runtime/errors.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { type BenchSetting, type Figure, figureOf, type Round } from "./benchmark.ts";
import type { ClusterBed } from "./cluster-bed.ts";
import { OutageLog } from "./outage-report.ts";
import { ParkedLoad } from "./parked-load.ts";
import { repeatedResults } from "./recorded-results.ts";
import { requireResult, WORKLOADS } from "./workload.ts";

const ROUNDS = 20;
/** Runs of three steps under way at a time. */
const IN_FLIGHT = 16;
/** Runs with timers, and with long tasks, that are under way in each round. */
const PARKED = 30;
/** Runs that changed their owner whose results are looked through, in each round. */
const LOOKED_THROUGH = 200;
const { w1 } = WORKLOADS;

/** Measures it on a bed of three nodes. */
export async function measureRolling(setting: BenchSetting, bed: ClusterBed): Promise<readonly Figure[]> {
  const workflowId = await bed.deploy(w1.document);
  await ParkedLoad.deploy(bed.client);
  using client = connect(bed.addresses.join());
  const rounds: { readonly clients: Round; readonly store: Round }[] = [];
  const codes = new Map<string, number>();
  for (let round = 1; round <= (setting.scale < 1 ? 1 : ROUNDS); round++) {
    setting.signal.throwIfAborted();
    setting.progress(`rolling restart, round ${round} of ${ROUNDS}`);
    rounds.push(await oneRound(setting, bed, { client, workflowId, codes }));
  }
  for (const [code, count] of codes) setting.remark(`rolling restart: ${count} calls failed with ${code}`);
  const about = "three nodes restarted one after the other under load";
  return [
    figureOf(
      {
        name: "rolling, client p99",
        unit: "ms",
        about: `${about}: time of a run beyond the median, by clients; asked: 0 failed calls, 0 results twice, < 250 ms`,
      },
      rounds.map(({ clients }) => clients),
    ),
    figureOf(
      {
        name: "rolling, row p99",
        unit: "ms",
        about: `${about}: longest time between two rows of a run that changed its owner meanwhile; all: of every run`,
      },
      rounds.map(({ store }) => store),
    ),
  ];
}

interface RoundParts {
  readonly client: MaestroClient;
  readonly workflowId: string;
  /** Failed calls by their code, of all rounds. */
  readonly codes: Map<string, number>;
}

async function oneRound({ clock, roundMs }: BenchSetting, bed: ClusterBed, { client, workflowId, codes }: RoundParts) {
  const log = new OutageLog(clock.monotonic());
  const over = new AbortController();
  const execute = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const sentMs = clock.monotonic();
      try {
        const { status, output, error } = await client.startAndWait(w1.start);
        requireResult(w1, statusOf(status) ?? String(status), output, error);
        log.complete(sentMs, clock.monotonic());
      } catch (error) {
        log.fail(toMaestroError(error).code, false);
      }
    }
  };
  const sinceMs = await bed.journal.now();
  const parked = new ParkedLoad(client);
  await parked.start(PARKED);
  const parkedEnds = parked.finish();
  const loading = Promise.all(Array.from({ length: IN_FLIGHT }, execute));
  await pause(roundMs / 3, clock);
  const restartedMs = clock.monotonic();
  for (const node of bed.cluster.nodes) {
    await node.stop();
    await node.start();
    await bed.balanced();
  }
  const durationMs = clock.monotonic() - restartedMs;
  over.abort();
  await loading;
  const { lost, twice } = await parkedEnds;
  const untilMs = await bed.journal.now();
  const report = log.report(clock.monotonic());
  for (const [code, count] of Object.entries(report.codes)) codes.set(code, (codes.get(code) ?? 0) + count);
  const [moved, all] = [await bed.journal.gaps(workflowId, sinceMs, untilMs, true), await bed.journal.gaps(workflowId, sinceMs, untilMs, false)];
  let repeated = twice;
  for (const runId of await bed.journal.movedRuns(workflowId, sinceMs, untilMs, LOOKED_THROUGH)) repeated += await repeatedResults(client, runId);
  const { p50Ms, p99Ms, maxMs, completed, failed } = report;
  return {
    clients: {
      value: p99Ms - p50Ms,
      details: {
        "longest ms": maxMs - p50Ms,
        "median ms": p50Ms,
        runs: completed,
        failed: failed,
        lost,
        twice: repeated,
        "round s": durationMs / 1_000,
      },
    },
    store: { value: moved.p99Ms, details: { moved: moved.runs, "p50 ms": moved.p50Ms, "longest ms": moved.maxMs, "all p99 ms": all.p99Ms } },
  };
}
