/**
 * Notices queues in which attempts of this node wait while no node of the cluster serves them, and tells of each once.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { ClusterQueue } from "../workers/queue-load.ts";
import type { WaitingInQueue } from "./attempt-backlog.ts";

/** Nodes that start take a moment to say what they serve, in milliseconds. */
const PATIENCE_MS = 5_000;

/** What one node has noticed. */
export class UnservedQueues {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #told = new Set<string>();

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Looks at the queues of the cluster, and at what waits with this node. A queue that is served again, or empty, may be told of anew. */
  look(cluster: readonly ClusterQueue[], own: ReadonlyMap<string, WaitingInQueue>): void {
    const nowMs = this.#clock.monotonic();
    const served = new Set(cluster.filter(({ executors }) => executors.length > 0).map(({ queue }) => queue));
    for (const queue of this.#told) if (served.has(queue) || !own.has(queue)) this.#told.delete(queue);
    for (const [queue, { waiting, oldestSinceMs }] of own) {
      if (served.has(queue) || this.#told.has(queue) || nowMs - oldestSinceMs < PATIENCE_MS) continue;
      this.#told.add(queue);
      this.#events.emit("queue.unserved", { queue, waiting });
    }
  }
}
