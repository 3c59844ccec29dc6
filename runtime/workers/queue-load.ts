/**
 * How much waits in the queues of tasks, on one node and in a cluster. For operators and for nodes that look for work; nothing rests on it.
 */
import type { BootId } from "../ids.ts";
import type { WorkerPool } from "./pool.ts";

/** The attempts of one queue. */
export interface QueueLoad {
  readonly waiting: number;
  /** Executed now, wherever that is. */
  readonly active: number;
  /** How long the oldest of those that wait has done so; 0 if none does. */
  readonly oldestWaitMs: number;
}

/** A queue in the whole cluster. */
export interface ClusterQueue extends QueueLoad {
  readonly queue: string;
  /** Nodes that execute its attempts. None: what is in it waits. */
  readonly executors: readonly BootId[];
}

/** A worker pool that tells of its queues. */
export interface QueuedPool extends WorkerPool {
  /** By name; those with nothing in them need not be there. */
  queues(): ReadonlyMap<string, QueueLoad>;
}

const NOTHING: QueueLoad = { waiting: 0, active: 0, oldestWaitMs: 0 };

/** Adds loads of the same queues up. */
export function sumOfQueues(all: Iterable<Iterable<readonly [string, QueueLoad]>>): ReadonlyMap<string, QueueLoad> {
  const sums = new Map<string, QueueLoad>();
  for (const loads of all) {
    for (const [queue, load] of loads) {
      const { waiting, active, oldestWaitMs } = sums.get(queue) ?? NOTHING;
      const oldest = Math.max(oldestWaitMs, load.oldestWaitMs);
      sums.set(queue, { waiting: waiting + load.waiting, active: active + load.active, oldestWaitMs: oldest });
    }
  }
  return sums;
}

/** The queues of a node that is alone, by name. */
export function queuesOfOne(bootId: BootId, pool: QueuedPool): readonly ClusterQueue[] {
  return [...pool.queues()].map(([queue, load]) => ({ queue, ...load, executors: [bootId] })).sort((a, b) => (a.queue < b.queue ? -1 : 1));
}
