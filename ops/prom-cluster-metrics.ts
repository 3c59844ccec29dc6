/**
 * The rows of `prom-metrics.ts` for the message bus, the cluster, the clock and the event stream.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { EventName } from "../runtime/events.ts";
import type { MetricTable } from "./prom-metrics.ts";

/** What happens on the message bus. */
export function busRows(registry: Registry): Pick<MetricTable, Extract<EventName, `bus.${string}`>> {
  const registers = [registry];
  const connected = new Gauge({ name: "maestro_bus_connected", help: "1 while the message bus is connected.", registers });
  const losses = new Counter({ name: "maestro_bus_disconnects_total", help: "Times that the message bus was lost.", registers });
  const refused = new Counter({ name: "maestro_bus_refusals_total", help: "Subscriptions and messages that the server refused.", registers });
  const failures = new Counter({ name: "maestro_bus_handler_failures_total", help: "Handlers of messages that failed.", registers });
  const dropped = new Counter({ name: "maestro_bus_dropped_total", help: "Messages dropped because too many were being handled.", registers });
  return {
    "bus.connected": () => connected.set(1),
    "bus.disconnected": () => {
      connected.set(0);
      losses.inc();
    },
    "bus.refused": () => refused.inc(),
    "bus.handlerFailed": () => failures.inc(),
    "bus.dropped": ({ suppressed }) => dropped.inc(1 + suppressed),
    "bus.drainCut": undefined,
  };
}

/** Upper bounds of buckets, in seconds, for what takes from a millisecond to half a minute. */
const MOVE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What happens to nodes and shards. */
export function clusterRows(registry: Registry): Pick<MetricTable, Extract<EventName, `cluster.${string}`>> {
  const registers = [registry];
  const members = new Gauge({ name: "maestro_cluster_members", help: "Nodes of the cluster, as this one last saw it.", registers });
  const fenced = new Counter({
    name: "maestro_cluster_takeovers_total",
    help: "Nodes that this one took over after their lease had ended.",
    registers,
  });
  const unheard = new Gauge({
    name: "maestro_cluster_unheard",
    help: "1 while this node gets no shards because it hears none of the others on the message bus.",
    registers,
  });
  const acquired = new Counter({ name: "maestro_cluster_shards_acquired_total", help: "Shards that this node took.", registers });
  const released = new Counter({ name: "maestro_cluster_shards_released_total", help: "Shards that this node handed over.", registers });
  const handOver = new Histogram({
    name: "maestro_cluster_hand_over_duration_seconds",
    help: "Time in which the runs of a group of shards stand still before the shards are free.",
    buckets: MOVE_SECONDS,
    registers,
  });
  const failures = new Counter({ name: "maestro_cluster_failures_total", help: "Looks, changes and hand-overs that failed.", registers });
  return {
    "cluster.changed": (event) => members.set(event.members),
    "cluster.unheard": () => unheard.set(1),
    "cluster.heard": () => unheard.set(0),
    "cluster.fenced": () => fenced.inc(),
    "cluster.acquired": ({ shards }) => acquired.inc(shards),
    "cluster.handedOver": ({ shards, durationMs }) => {
      released.inc(shards);
      handOver.observe(durationMs / 1_000);
    },
    "cluster.handOverFailed": () => failures.inc(),
    "cluster.storeFailed": () => failures.inc(),
  };
}

/** What the node's clock shows. */
export function clockRows(registry: Registry): Pick<MetricTable, Extract<EventName, `clock.${string}`>> {
  const offset = new Gauge({
    name: "maestro_clock_offset_seconds",
    help: "The node's wall clock less PostgreSQL's, as the last renewals of the lease show it: positive if the node is ahead. Absent before the first.",
    registers: [registry],
  });
  offset.remove();
  return {
    "clock.compared": ({ offsetMs }) => offset.set(offsetMs / 1_000),
    "clock.skewed": undefined,
    "clock.aligned": undefined,
  };
}

/** What happens to tasks between nodes. */
export function exchangeRows(registry: Registry): Pick<MetricTable, Extract<EventName, `tasks.${string}` | `queue.${string}`>> {
  const registers = [registry];
  const lent = new Counter({ name: "maestro_tasks_lent_total", help: "Task attempts of this node's runs that other nodes took.", registers });
  const back = new Counter({
    name: "maestro_tasks_taken_back_total",
    help: "Task attempts that came back from other nodes without a result, by reason.",
    labelNames: ["reason"],
    registers,
  });
  const failures = new Counter({ name: "maestro_task_call_failures_total", help: "Calls about tasks that failed by a defect.", registers });
  return {
    "tasks.lent": ({ count }) => lent.inc(count),
    "tasks.takenBack": ({ count, reason }) => back.inc({ reason }, count),
    "tasks.callFailed": () => failures.inc(),
    "queue.unserved": undefined,
  };
}

/** What happens to events on their way to the stream. */
export function eventRows(registry: Registry): Pick<MetricTable, Extract<EventName, `events.${string}`>> {
  const registers = [registry];
  const published = new Counter({ name: "maestro_events_published_total", help: "Events that the stream acknowledged.", registers });
  const refused = new Counter({ name: "maestro_events_refused_total", help: "Events that the stream refused, and that were sent again.", registers });
  const skipped = new Counter({ name: "maestro_events_skipped_runs_total", help: "Runs whose events could not be told.", registers });
  const stalled = new Gauge({ name: "maestro_events_stalled", help: "1 while the event stream can't be had.", registers });
  const behind = new Gauge({ name: "maestro_events_behind", help: "1 while events are published from the journal.", registers });
  return {
    "events.published": ({ count }) => published.inc(count),
    "events.stalled": () => stalled.set(1),
    "events.resumed": () => stalled.set(0),
    "events.refused": ({ suppressed }) => refused.inc(1 + suppressed),
    "events.behind": () => behind.set(1),
    "events.caughtUp": () => behind.set(0),
    "events.catchUpFailed": undefined,
    "events.skipped": () => skipped.inc(),
    "events.leftToNewer": undefined,
  };
}
