/**
 * What the nodes of a cluster have said of their tasks, and who of them executes what. Hearsay: it decides whom to ask, and what operators are shown.
 */
import type { TaskSummary } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Clock } from "../clock.ts";
import { type ClusterNode, isMember } from "../cluster/cluster-view.ts";
import type { BootId } from "../ids.ts";
import { type ClusterQueue, type QueueLoad, sumOfQueues } from "../workers/queue-load.ts";

/** What a node said longer ago than this does not count, in milliseconds. */
const HEARD_FOR_MS = 5_000;

const NOTHING: QueueLoad = { waiting: 0, active: 0, oldestWaitMs: 0 };

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

/** All that was said, summed up by queue and sorted by name; queues that are served by name are there even if nothing is in them. */
export function clusterQueues(summaries: readonly TaskSummary[]): readonly ClusterQueue[] {
  const served = summaries.flatMap(({ serves: names }) => names.map((queue) => [queue, NOTHING] as const));
  const sums = sumOfQueues([...summaries.map(({ queues }) => queues.map((load) => [load.queue, load] as const)), served]);
  const executorsOf = (queue: string): BootId[] =>
    summaries.filter((one) => one.isExecutor && serves(one.serves, queue)).map(({ sender }) => sender as BootId);
  return [...sums].map(([queue, load]) => ({ queue, ...load, executors: executorsOf(queue) })).sort((a, b) => (a.queue < b.queue ? -1 : 1));
}
