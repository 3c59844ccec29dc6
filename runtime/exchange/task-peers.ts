/**
 * What the nodes of a cluster have said of their tasks, and who of them executes what. Hearsay: it decides whom to ask, and what operators are shown.
 */
import type { TaskSummary } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Clock } from "../clock.ts";
import { type ClusterNode, isMember } from "../cluster/cluster-view.ts";
import type { BootId } from "../ids.ts";

/** What a node said longer ago than this does not count, in milliseconds. */
const HEARD_FOR_MS = 5_000;

/** What a node says of one of its queues. */
export interface QueueLoad {
  readonly waiting: number;
  /** Under way, wherever they are executed. */
  readonly active: number;
  readonly oldestWaitMs: number;
}

/** A queue in the whole cluster. */
export interface ClusterQueue extends QueueLoad {
  readonly queue: string;
  /** Nodes that execute its attempts. */
  readonly executors: number;
}

interface Heard {
  readonly summary: TaskSummary;
  readonly atMs: number;
}

/** What one node knows of the others. */
export class TaskPeers {
  readonly #clock: Clock;
  readonly #heard = new Map<BootId, Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A node has said this. */
  hear(summary: TaskSummary): void {
    this.#heard.set(summary.sender as BootId, { summary, atMs: this.#clock.monotonic() });
  }

  /** Forgets who has ended. */
  forget(bootId: BootId): void {
    this.#heard.delete(bootId);
  }

  /** What was said lately. */
  recent(): readonly TaskSummary[] {
    const nowMs = this.#clock.monotonic();
    for (const [bootId, { atMs }] of this.#heard) if (nowMs - atMs > HEARD_FOR_MS) this.#heard.delete(bootId);
    return [...this.#heard.values()].map(({ summary }) => summary);
  }

  /** How many of them execute tasks. */
  get takers(): number {
    return this.recent().filter(({ isExecutor }) => isExecutor).length;
  }

  /** Those of these nodes that execute attempts of a queue; nodes that said nothing yet may do so. */
  executorsAmong(nodes: readonly ClusterNode[], queue: string): readonly BootId[] {
    return nodes
      .filter(({ bootId, state, roles }) => {
        const summary = this.#heard.get(bootId)?.summary;
        return isMember(state) && roles.includes("executor") && (summary === undefined || serves(summary.serves, queue));
      })
      .map(({ bootId }) => bootId);
  }
}

/** True if who serves these queues serves this one. None: all. */
export function serves(queues: readonly string[], queue: string): boolean {
  return queues.length === 0 || queues.includes(queue);
}

/** All that was said, summed up by queue and sorted by name; queues that are served by name are there even if nothing waits in them. */
export function clusterQueues(summaries: readonly TaskSummary[]): readonly ClusterQueue[] {
  const queues = new Map<string, QueueLoad>();
  for (const { queues: loads, serves: served } of summaries) {
    for (const queue of served) if (!queues.has(queue)) queues.set(queue, { waiting: 0, active: 0, oldestWaitMs: 0 });
    for (const { queue, waiting, active, oldestWaitMs } of loads) {
      const sum = queues.get(queue) ?? { waiting: 0, active: 0, oldestWaitMs: 0 };
      const oldest = Math.max(sum.oldestWaitMs, oldestWaitMs);
      queues.set(queue, { waiting: sum.waiting + waiting, active: sum.active + active, oldestWaitMs: oldest });
    }
  }
  const executors = (queue: string): number => summaries.filter((one) => one.isExecutor && serves(one.serves, queue)).length;
  return [...queues].map(([queue, load]) => ({ queue, ...load, executors: executors(queue) })).sort((a, b) => (a.queue < b.queue ? -1 : 1));
}
