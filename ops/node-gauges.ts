/**
 * What of a node is measured by looking at it, when somebody asks for the metrics page: sizes, and how full its bounds are. What events tell is counted in
 * `prom-metrics.ts`.
 */
import { LIMITS } from "../runtime/limits.ts";
import { boundOf, type WatchedLimit } from "../runtime/watched-limits.ts";
import type { QueuedPool } from "../runtime/workers/queue-load.ts";
import { DEFAULT_QUEUE } from "../runtime/workers/scheduling.ts";
import type { NodeGateway } from "./node-gateway.ts";
import type { NodeRuns } from "./node-runs.ts";
import type { NodeStorage } from "./node-storage.ts";
import type { NodeMetrics } from "./prom-metrics.ts";

/** The parts that are looked at; they have started. */
export interface GaugedNode {
  readonly gateway: NodeGateway;
  readonly runs: NodeRuns;
  readonly storage: NodeStorage;
  /** Writer lanes of the journal. */
  readonly lanes: number;
}

/** Adds the gauges of a node that has started. */
export function addNodeGauges(metrics: NodeMetrics, node: GaugedNode): void {
  const { gateway, runs } = node;
  const { system } = runs.open;
  metrics.addGauge("maestro_actors", "Actors in memory.", () => system.size);
  metrics.addGauge("maestro_actors_quarantined", "Actors that are set aside now.", () => system.quarantined().length);
  metrics.addGauge("maestro_concurrency_waiting", "Attempts that wait for a slot of their concurrency key.", () => runs.open.slots.waiting);
  metrics.addGauge(
    "maestro_runs_left_to_newer",
    "Runs of this node that only a node of a newer version can read; they wait for one.",
    () => runs.open.leftToNewer,
  );
  metrics.addGauge("maestro_actor_pending_replies", "Asks that await their answer.", () => system.pendingReplies);
  metrics.addGauge("maestro_grpc_waiting_calls", "Calls that wait for something: watches, executions.", () => gateway.waitingCalls);
  metrics.addGauge("maestro_events_waiting", "Events in memory, not acknowledged.", () => runs.events.publisher?.backlog ?? 0);
  // Not the threads' own queue: in a cluster what finds no slot waits for one on any node, and never gets there.
  metrics.addGauge("maestro_executor_queue_length", "Task attempts of this node's runs that wait to be executed.", () => runs.pool.state.queued);
  metrics.addGauges(
    "maestro_queue_depth",
    "Task attempts of this node's runs that wait to be executed, by queue, without those that wait for a slot of their concurrency key (maestro_concurrency_waiting).",
    "queue",
    () => depthsOf(runs.pool),
  );
  addUsages(metrics, node);
}

/** The usual queue is always told of: a figure that is not there looks like a node that has none. */
function depthsOf(pool: QueuedPool): ReadonlyMap<string, number> {
  const told = [...pool.queues()].slice(0, LIMITS.queuesTold);
  return new Map([[DEFAULT_QUEUE, 0], ...told.map(([queue, { waiting }]) => [queue, waiting] as const)]);
}

function addUsages(metrics: NodeMetrics, { runs, storage, lanes }: GaugedNode): void {
  const { open, pool } = runs;
  const { journal } = storage;
  const add = (limit: WatchedLimit, read: () => number, places = 1): void => metrics.addUsage(limit, () => read() / (boundOf(limit) * places));
  add("activeRuns", () => open.activeCount);
  add("pendingReplies", () => open.system.pendingReplies);
  add("taskQueueLength", () => pool.state.queued);
  add("laneQueueWrites", () => journal.pressure().queuedWrites, lanes);
  add("laneQueueBytes", () => journal.pressure().queuedBytes, lanes);
}
