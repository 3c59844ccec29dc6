/**
 * What a cluster is asked to do, measured on this machine: failover, rolling restarts, stale owners, the lag of events, what NATS costs, and what an
 * idle cluster takes.
 */
import type { Benchmark, BenchSetting, Figure } from "./benchmark.ts";
import { type ClusterBed, openClusterBed } from "./cluster-bed.ts";
import { measureEvents } from "./events.ts";
import { measureFailover } from "./failover.ts";
import { measureIdle } from "./idle.ts";
import { measureRolling } from "./rolling.ts";
import { measureSeveralNodes } from "./several-nodes.ts";
import { measureStaleOwner } from "./stale-owner.ts";

/** What is measured on one and the same cluster of three nodes. The idle ones come first: nothing has worn them yet. */
const OF_THREE: readonly ((setting: BenchSetting, bed: ClusterBed) => Promise<readonly Figure[]>)[] = [
  measureIdle,
  measureFailover,
  measureRolling,
  measureStaleOwner,
];

/** `npm run bench -- cluster`. */
export const cluster: Benchmark = {
  name: "cluster",
  about: "Nodes that are killed, restarted and frozen under load; events, several nodes on one machine, and idle ones.",
  async measure(setting) {
    return [...(await measureThree(setting)), ...(await measureEvents(setting, ["without", "runs"])), ...(await measureSeveralNodes(setting))];
  },
};

async function measureThree(setting: BenchSetting): Promise<readonly Figure[]> {
  setting.progress("starting three nodes");
  await using bed = await openClusterBed(setting, 3);
  const figures: Figure[] = [];
  for (const measure of OF_THREE) figures.push(...(await measure(setting, bed)));
  return figures;
}
