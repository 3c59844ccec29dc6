/**
 * W1 on one, two and three nodes of this machine, which share its processors with their clients: for information, it says nothing about machines of their own.
 */
import { type BenchSetting, type Figure, figureOf, type Round } from "./benchmark.ts";
import { openClusterBed } from "./cluster-bed.ts";
import { TargetLoad } from "./target.ts";

const IN_FLIGHT = 300;
const SIZES = [1, 2, 3];
const QUICK_SIZES = [2];

/** Measures it, one size after the other. */
export async function measureSeveralNodes(setting: BenchSetting): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of setting.scale < 1 ? QUICK_SIZES : SIZES) {
    setting.signal.throwIfAborted();
    setting.progress(`W1 on ${size} nodes of this machine`);
    await using bed = await openClusterBed(setting, size);
    await loadOnce(setting, bed.addresses);
    const rounds: Round[] = [];
    for (let round = 0; round < setting.rounds; round++) rounds.push(await loadOnce(setting, bed.addresses));
    const about = `completed runs with ${IN_FLIGHT} in flight, over an Execute stream to each of ${size} nodes on this machine, with idempotency keys`;
    figures.push(figureOf({ name: `W1a ${size} node${size === 1 ? "" : "s"}`, unit: "runs/s", about }, rounds));
  }
  return figures;
}

async function loadOnce({ clock, random, roundMs }: BenchSetting, addresses: readonly string[]): Promise<Round> {
  const load = new TargetLoad({ addresses, clock, random, inFlight: IN_FLIGHT });
  const over = new AbortController();
  try {
    await load.deploy();
    clock.schedule(roundMs, () => over.abort());
    await load.run(over.signal);
    const { completed, elapsedMs, p50Ms, p99Ms, repeated, failed } = load.log.report(clock.monotonic());
    return { value: (completed / elapsedMs) * 1_000, details: { "p50 ms": p50Ms, "p99 ms": p99Ms, repeated, failed } };
  } finally {
    load.close();
  }
}
