/**
 * What three nodes take that have nothing to do: heartbeats, renewals, looks at timers, garbage collection. With them what PostgreSQL and NATS take.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { type BenchSetting, type Figure, figureOf } from "./benchmark.ts";
import type { ClusterBed } from "./cluster-bed.ts";

/** After its start a node compiles, moves shards and gives memory back. */
const SETTLE_MS = 15_000;
const WATCH_MS = 30_000;
const QUICK_MS = 3_000;

/** Measures it on a bed of three nodes. */
export async function measureIdle(setting: BenchSetting, bed: ClusterBed): Promise<readonly Figure[]> {
  const isQuick = setting.scale < 1;
  setting.progress("watching three nodes that have nothing to do");
  await pause(isQuick ? QUICK_MS : SETTLE_MS, setting.clock);
  const usage = (): Promise<readonly number[]> => Promise.all(bed.cluster.nodes.map(({ program }) => program?.cpuUs() ?? Number.NaN));
  const natsUsage = (): Promise<number> => bed.cluster.parts.nats?.program.cpuUs() ?? Promise.resolve(Number.NaN);
  const [before, natsBefore, startMs] = [await usage(), await natsUsage(), setting.clock.monotonic()];
  await pause(isQuick ? QUICK_MS : WATCH_MS, setting.clock);
  const [after, natsAfter, elapsedMs] = [await usage(), await natsUsage(), setting.clock.monotonic() - startMs];
  const percentOf = (us: number): number => us / elapsedMs / 10;
  const nats = percentOf(natsAfter - natsBefore);
  const rounds = after.map((us, index) => ({ value: percentOf(us - (before[index] ?? Number.NaN)), details: { "nats %": nats } }));
  const about = "processor time of a node of three that has nothing to do, of one core; a round for each node; asked: < 2 %";
  return [figureOf({ name: "idle node", unit: "% of a core", about }, rounds)];
}
