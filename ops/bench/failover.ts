/**
 * A node of three is killed under load, with all settings at their defaults: how long each of its runs stands still, from the kill to the run's next
 * committed row; whether an acknowledged run is lost or a result recorded twice.
 *
 * Counted is every run of the dead node that had not ended, from the kill or, if it waited for a timer that was due later, from then on.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { awaited } from "../local-cluster/awaited.ts";
import type { LocalNode } from "../local-cluster/local-node.ts";
import { type BenchSetting, type Figure, figureOf, percentile, type Round } from "./benchmark.ts";
import type { ClusterBed } from "./cluster-bed.ts";
import { type FailureLoad, failInTurn } from "./failure-load.ts";
import type { OpenRun } from "./journal-times.ts";

const ROUNDS = 5;
const PARKED = 150;
const RECOVERY_MS = 30_000;

/** Measures it on a bed of three nodes. */
export async function measureFailover(setting: BenchSetting, bed: ClusterBed): Promise<readonly Figure[]> {
  const rounds = await failInTurn(setting, bed, {
    ...{ name: "failover", fate: "is killed", rounds: ROUNDS, parked: PARKED * setting.scale },
    round: (load, node) => oneRound(setting, bed, load, node),
  });
  const about =
    "a node of three is killed under load: from the kill to a run's next committed row, 99th percentile of its runs; asked: < 5 s, 0 lost, 0 twice";
  return [figureOf({ name: "failover, p99", unit: "ms", about }, rounds)];
}

async function oneRound(setting: BenchSetting, bed: ClusterBed, load: FailureLoad, node: LocalNode): Promise<Round> {
  await pause(setting.roundMs / 2, setting.clock);
  const boot = await bed.journal.bootOf(node.name);
  const open = await bed.journal.openRunsOf(boot);
  const killedMs = await bed.journal.now();
  await node.kill();
  const delays = await delaysOf(bed, open, killedMs, setting);
  await load.end();
  await node.start();
  const { repeated, ...report } = await load.report();
  return {
    value: percentile(delays, 0.99),
    details: {
      ...{ runs: delays.length, "p50 ms": percentile(delays, 0.5), "longest ms": delays.at(-1) ?? Number.NaN },
      ...{ ...report, "calls repeated": repeated },
    },
  };
}

/** Of each run that had something to do since, sorted. A run that never goes on makes this fail. */
async function delaysOf(bed: ClusterBed, open: readonly OpenRun[], killedMs: number, { clock }: BenchSetting): Promise<readonly number[]> {
  const dueById = new Map(open.map(({ runId, dueMs }) => [runId, Math.max(killedMs, dueMs ?? Number.NaN)]));
  const timed = open.filter(({ dueMs }) => dueMs !== undefined);
  const look = async (): Promise<readonly number[] | undefined> => {
    const rows = await bed.journal.nextOwnersFirstRows(timed);
    const delays = [...rows].map(([runId, atMs]) => (atMs ?? Number.NaN) - (dueById.get(runId) ?? Number.NaN));
    return delays.some(Number.isNaN) ? undefined : delays.sort((a, b) => a - b);
  };
  return awaited("every run of the node that was killed to go on", look, RECOVERY_MS, clock);
}
