/**
 * Metrics for Prometheus, with a registry of their own for each node. They are fed by the runtime's events through one table, and by
 * reading the process when the page is asked for. Labels are bounded: never a run's id, never a text that a user chose but for the names of queues.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { EventHub, EventListener, EventName } from "../runtime/events.ts";
import type { WatchedLimit } from "../runtime/watched-limits.ts";
import { busRows, clockRows, clusterRows, eventRows, exchangeRows } from "./prom-cluster-metrics.ts";
import { namedGauges, usageGauge } from "./prom-gauges.ts";

/** The metrics of one node. */
export interface NodeMetrics {
  /** The page that Prometheus reads. */
  page(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Adds a value that is read when the page is asked for. The name begins with `maestro_` and ends with its unit, if it has one. */
  addGauge(name: string, help: string, read: () => number): void;
  /** Adds a gauge with a value for each of some names, read anew for each page. */
  addGauges(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void;
  /** Adds a bound of the node to `maestro_limit_usage_ratio`: `read` answers how much of it is used, from 0 to 1. */
  addUsage(limit: WatchedLimit, read: () => number): void;
  /** Stops listening. */
  close(): void;
}

/** What each event does to the metrics; undefined for events that are logged only. */
export type MetricTable = { readonly [N in EventName]: EventListener<N> | undefined };

/** Upper bounds of buckets, in seconds, for what takes from a tenth of a millisecond to seconds. */
const FAST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** For what takes from a millisecond to an hour. */
const SLOW_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600];
/** Things in one batch. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Measures a node from now on. `nodeName` becomes the label `node` of every metric. */
export function openMetrics(events: EventHub, nodeName: string): NodeMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node: nodeName });
  collectDefaultMetrics({ register: registry });
  const addGauge = (name: string, help: string, read: () => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) });
  };
  addGauge("maestro_memory_usage_bytes", "Resident memory of the process.", () => process.memoryUsage.rss());
  const table = metricTable(registry);
  const names = Object.keys(table) as EventName[];
  const stops = names.flatMap((name) => subscribe(events, name, table) ?? []);
  return {
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    addGauge,
    addGauges: namedGauges(registry),
    addUsage: usageGauge(registry),
    close() {
      for (const stop of stops) stop();
      registry.clear();
    },
  };
}

function subscribe<N extends EventName>(events: EventHub, name: N, table: MetricTable): (() => void) | undefined {
  const listener: EventListener<N> | undefined = table[name];
  return listener === undefined ? undefined : events.on(name, listener);
}

/** One row for every event of the runtime. */
function metricTable(registry: Registry): MetricTable {
  return {
    ...runRows(registry),
    ...taskRows(registry),
    ...exchangeRows(registry),
    ...journalRows(registry),
    ...busRows(registry),
    ...clusterRows(registry),
    ...clockRows(registry),
    ...eventRows(registry),
    ...actorRows(registry),
    ...requestRows(registry),
    ...limitRows(registry),
  };
}

function runRows(registry: Registry): Pick<MetricTable, Extract<EventName, `run.${string}`>> {
  const registers = [registry];
  const started = new Counter({ name: "maestro_jobs_started_total", help: "Runs that were started.", registers });
  const succeeded = new Counter({ name: "maestro_jobs_succeeded_total", help: "Runs that completed.", registers });
  const failed = new Counter({ name: "maestro_jobs_failed_total", help: "Runs that failed.", registers });
  const latency = new Histogram({
    name: "maestro_job_latency_seconds",
    help: "Time from a run's start to its end.",
    buckets: SLOW_SECONDS,
    registers,
  });
  // With the same labels, so that alerts can divide one by the other. By status they are in the histogram.
  const runs = new Counter({ name: "maestro_workflow_runs_total", help: "Runs that ended.", registers });
  const failures = new Counter({ name: "maestro_workflow_failures_total", help: "Runs that failed.", registers });
  const duration = new Histogram({
    name: "maestro_workflow_run_duration_seconds",
    help: "Time from a run's start to its end, by status.",
    labelNames: ["status"],
    buckets: SLOW_SECONDS,
    registers,
  });
  const loaded = new Counter({ name: "maestro_runs_loaded_total", help: "Runs that were loaded from their journal.", registers });
  const loading = new Histogram({ name: "maestro_run_load_duration_seconds", help: "Time to load a run.", buckets: FAST_SECONDS, registers });
  const passivated = new Counter({ name: "maestro_runs_passivated_total", help: "Idle runs that left memory.", registers });
  const recovered = new Counter({ name: "maestro_runs_recovered_total", help: "Runs of earlier boots that were taken up.", registers });
  const stuck = new Gauge({
    name: "maestro_runs_without_wakeup",
    help: "Runs that nothing would ever wake, at the last audit. Must be 0.",
    registers,
  });
  return {
    "run.started": () => started.inc(),
    "run.ended": ({ status, durationMs }) => {
      runs.inc();
      latency.observe(durationMs / 1000);
      duration.observe({ status }, durationMs / 1000);
      if (status === "completed") succeeded.inc();
      if (status !== "failed") return;
      failed.inc();
      failures.inc();
    },
    "run.loaded": ({ durationMs }) => {
      loaded.inc();
      loading.observe(durationMs / 1000);
    },
    "run.recovered": ({ count }) => recovered.inc(count),
    "run.passivated": () => passivated.inc(),
    // A run that has left this node is one no more: the gauge looks.
    "run.leftToNewer": undefined,
    "run.withoutWakeup": ({ runIds }) => stuck.set(runIds.length),
  };
}

function taskRows(
  registry: Registry,
): Pick<MetricTable, Extract<EventName, `pool.${string}` | `slots.${string}` | `task.${string}` | `expression.${string}`>> {
  const registers = [registry];
  const labelNames = ["tier"] as const;
  const threads = new Gauge({ name: "maestro_executor_pool_size", help: "Worker threads.", labelNames, registers });
  const active = new Gauge({ name: "maestro_executor_active_tasks", help: "Task attempts that execute.", labelNames, registers });
  const lost = new Counter({
    name: "maestro_executor_threads_lost_total",
    help: "Worker threads that died under their tasks.",
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: "maestro_executor_task_duration_seconds",
    help: "Time that a task attempt executed, by outcome.",
    labelNames: ["outcome"],
    buckets: SLOW_SECONDS,
    registers,
  });
  const wait = new Histogram({
    name: "maestro_executor_task_wait_seconds",
    help: "Time that an attempt waited for a thread.",
    buckets: FAST_SECONDS,
    registers,
  });
  const help = "Slots of concurrency keys that were freed because their attempts were under way nowhere.";
  const reclaimed = new Counter({ name: "maestro_concurrency_slots_reclaimed_total", help, registers });
  const external = new Histogram({
    name: "maestro_expression_external_duration_seconds",
    help: "Time of expressions that the reference implementation of jq evaluated.",
    buckets: FAST_SECONDS,
    registers,
  });
  return {
    "pool.started": ({ tier, threads: count }) => threads.set({ tier }, count),
    "pool.changed": (event) => {
      threads.set({ tier: event.tier }, event.threads);
      active.set({ tier: event.tier }, event.active);
    },
    "pool.threadLost": ({ tier }) => lost.inc({ tier }),
    "slots.reclaimed": ({ count }) => reclaimed.inc(count),
    "task.ended": ({ outcome, durationMs, queuedMs }) => {
      duration.observe({ outcome }, durationMs / 1000);
      wait.observe(queuedMs / 1000);
    },
    "task.log": undefined,
    "expression.external": ({ durationMs }) => external.observe(durationMs / 1000),
  };
}

function journalRows(
  registry: Registry,
): Pick<
  MetricTable,
  Extract<EventName, `journal.${string}` | `lease.${string}` | `database.${string}` | `ledger.${string}` | `retention.${string}`>
> {
  const registers = [registry];
  const commits = new Counter({ name: "maestro_journal_commits_total", help: "Commits of the journal.", labelNames: ["lane"], registers });
  const writes = new Histogram({ name: "maestro_journal_batch_writes", help: "Writes in one commit.", buckets: BATCH_SIZES, registers });
  const entries = new Counter({ name: "maestro_journal_entries_total", help: "Entries committed.", registers });
  const bytes = new Counter({ name: "maestro_journal_bytes_total", help: "Bytes of entries committed.", registers });
  const duration = new Histogram({ name: "maestro_journal_commit_duration_seconds", help: "Time of one commit.", buckets: FAST_SECONDS, registers });
  const refused = new Counter({
    name: "maestro_snapshots_refused_total",
    help: "Stored snapshots that were of no use, by reason. Those with a checksum that differs were damaged.",
    labelNames: ["reason"],
    registers,
  });
  const retries = new Counter({ name: "maestro_journal_retries_total", help: "Commits that failed and were tried again.", registers });
  const busy = new Gauge({ name: "maestro_journal_lanes_busy", help: "Lanes with a commit under way.", registers });
  const fenced = new Gauge({ name: "maestro_journal_fenced", help: "1 once another node took this one's place.", registers });
  const renewal = new Histogram({
    name: "maestro_lease_renewal_duration_seconds",
    help: "Time of one renewal of the lease.",
    buckets: FAST_SECONDS,
    registers,
  });
  const dropped = new Counter({ name: "maestro_task_records_dropped_total", help: "Records of attempts that could not be stored.", registers });
  const expired = new Counter({ name: "maestro_runs_expired_total", help: "Runs removed because they ended long ago.", registers });
  const failures = new Counter({ name: "maestro_lease_failures_total", help: "Renewals of the lease that failed.", registers });
  return {
    "journal.committed": (event) => {
      commits.inc({ lane: event.lane });
      writes.observe(event.writes);
      entries.inc(event.entries);
      bytes.inc(event.bytes);
      duration.observe(event.durationMs / 1000);
    },
    "journal.begun": () => busy.inc(),
    "journal.settled": () => busy.dec(),
    "journal.retried": () => retries.inc(),
    "journal.snapshotRefused": ({ reason }) => refused.inc({ reason }),
    "journal.fenced": () => fenced.set(1),
    "lease.renewed": ({ durationMs }) => renewal.observe(durationMs / 1000),
    "lease.failed": () => failures.inc(),
    "database.exited": undefined,
    "database.returned": undefined,
    "retention.swept": ({ runs }) => expired.inc(runs),
    "retention.failed": undefined,
    "ledger.delayed": ({ dropped: count }) => dropped.inc(count),
  };
}

function actorRows(registry: Registry): Pick<MetricTable, Extract<EventName, `actor.${string}` | `message.${string}`>> {
  const registers = [registry];
  const failures = new Counter({
    name: "maestro_actor_failures_total",
    help: "Failures of actors, by what was done.",
    labelNames: ["directive"],
    registers,
  });
  const quarantined = new Counter({ name: "maestro_actors_quarantined_total", help: "Actors that kept failing and were set aside.", registers });
  const deadlocks = new Counter({ name: "maestro_actor_deadlocks_total", help: "Circles of actors that waited for each other.", registers });
  const dead = new Counter({
    name: "maestro_dead_letters_total",
    help: "Messages that could not be delivered, by reason.",
    labelNames: ["reason"],
    registers,
  });
  return {
    "actor.failed": ({ directive }) => failures.inc({ directive }),
    "actor.quarantined": () => quarantined.inc(),
    "actor.deadlock": () => deadlocks.inc(),
    "message.dead": ({ reason, suppressed }) => dead.inc({ reason }, 1 + suppressed),
  };
}

function requestRows(registry: Registry): Pick<MetricTable, Extract<EventName, `request.${string}`>> {
  const registers = [registry];
  const requests = new Counter({
    name: "maestro_grpc_requests_total",
    help: "Calls answered by the gRPC gateway, by method and code; a stream counts once.",
    labelNames: ["method", "code"],
    registers,
  });
  const duration = new Histogram({
    name: "maestro_grpc_request_duration_seconds",
    help: "Time from a call's request to its answer, by method; for a stream, to its end.",
    labelNames: ["method"],
    buckets: SLOW_SECONDS,
    registers,
  });
  return {
    "request.ended": ({ method, code, durationMs }) => {
      requests.inc({ method, code });
      duration.observe({ method }, durationMs / 1000);
    },
    "request.broken": undefined,
  };
}

function limitRows(registry: Registry): Pick<MetricTable, "limit.near"> {
  const warnings = new Counter({
    name: "maestro_limit_warnings_total",
    help: "How often something passed half of its bound, by bound.",
    labelNames: ["limit"],
    registers: [registry],
  });
  return { "limit.near": ({ limit, suppressed }) => warnings.inc({ limit }, 1 + suppressed) };
}
