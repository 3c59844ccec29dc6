/**
 * A node of three is frozen under load (SIGSTOP) for much longer than its lease, and goes on (SIGCONT) when others have its shards: what it still
 * commits. Judged by the journal alone, by the epochs of its rows and the times at which they were committed.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { awaited } from "../local-cluster/awaited.ts";
import type { LocalNode } from "../local-cluster/local-node.ts";
import { type BenchSetting, type Figure, figureOf, type Round } from "./benchmark.ts";
import type { ClusterBed } from "./cluster-bed.ts";
import { type FailureLoad, failInTurn } from "./failure-load.ts";

const ROUNDS = 3;
const PARKED = 50;
/** Beyond a lease of 3 s, and what follows it. */
const FROZEN_MS = 10_000;
const QUICK_FROZEN_MS = 5_000;
const TAKEN_OVER_MS = 30_000;
/** Time for it to try what it had under way. */
const AFTER_MS = 3_000;

/** Measures it on a bed of three nodes. */
export async function measureStaleOwner(setting: BenchSetting, bed: ClusterBed): Promise<readonly Figure[]> {
  const rounds = await failInTurn(setting, bed, {
    ...{ name: "stale owner", fate: "is frozen", rounds: ROUNDS, parked: PARKED },
    round: (load, node) => oneRound(setting, bed, load, node),
  });
  const about = `a node frozen for ${FROZEN_MS / 1_000} s under load goes on: rows that it commits after the takeover; asked: 0`;
  return [figureOf({ name: "stale owner, rows", unit: "rows", about }, rounds)];
}

async function oneRound({ clock, roundMs, scale }: BenchSetting, bed: ClusterBed, load: FailureLoad, node: LocalNode): Promise<Round> {
  const sinceMs = (await bed.journal.now()) - roundMs;
  await pause(roundMs, clock);
  const boot = await bed.journal.bootOf(node.name);
  const frozenMs = await bed.journal.now();
  node.signal("SIGSTOP");
  const fencedMs = await awaited("the frozen node to be fenced", () => bed.journal.fencedMs(boot), TAKEN_OVER_MS, clock);
  await pause(Math.max(0, (scale < 1 ? QUICK_FROZEN_MS : FROZEN_MS) - (fencedMs - frozenMs)), clock);
  node.signal("SIGCONT");
  await pause(AFTER_MS, clock);
  await load.end();
  // It finds itself fenced and ends by itself.
  await node.program?.exited;
  const staleRows = await bed.journal.staleRows(sinceMs);
  await node.start();
  const { acknowledged, lost, twice } = await load.report();
  return { value: staleRows, details: { "fenced after ms": fencedMs - frozenMs, acknowledged, lost, twice } };
}
