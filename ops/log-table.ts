/**
 * Which events are logged, at which level, in which words. One row for every event of the runtime, so that leaving one out is a decision
 * that somebody wrote down. No logging library here: `pino-logging.ts` writes the lines.
 */
import { messageOf } from "../runtime/errors.ts";
import type { EventName, RuntimeEvents } from "../runtime/events.ts";
import { WATCHED_LIMITS } from "../runtime/watched-limits.ts";

/** Levels of lines, least important first. */
export type LineLevel = "debug" | "info" | "warn" | "error";

/** How an event becomes a line. */
export interface LogRow<N extends EventName> {
  /** `event`: the event itself says. */
  readonly level: LineLevel | "event";
  readonly message: string | ((event: RuntimeEvents[N]) => string);
  /** Whether this event is worth a line. Default: every one is. */
  readonly when?: (event: RuntimeEvents[N]) => boolean;
  /** The line's fields. Default: those of the event. */
  readonly fields?: (event: RuntimeEvents[N]) => object;
}

/** A row for every event; undefined for what is counted by metrics only, because it happens too often to be read. */
export type LogTable = { readonly [N in EventName]: LogRow<N> | undefined };

const SNAPSHOT_ADVICE: Readonly<Record<RuntimeEvents["journal.snapshotRefused"]["reason"], string>> = {
  checksum: "Nothing is lost, but bytes that were stored have changed: check the database's disk and memory, and its backups.",
  format: "Nothing is lost. Another version of this program wrote it; if none did, report it.",
};

const UNHEARD_ADVICE =
  "Name the NATS server, or servers of one NATS cluster, that the other nodes use (MAESTRO_NATS_URL), and the cluster's name that they have (MAESTRO_CLUSTER). If NATS is away, nothing has to be done.";

/** The rows. */
export const LOG_TABLE: LogTable = {
  "actor.failed": { level: "warn", message: "an actor failed", fields: withProblem },
  "actor.quarantined": { level: "error", message: "an actor keeps failing and was quarantined", fields: withProblem },
  "actor.deadlock": { level: "error", message: "actors wait for each other in a circle" },
  "message.dead": { level: "warn", message: "a message could not be delivered" },
  "journal.committed": undefined,
  "journal.begun": undefined,
  "journal.settled": undefined,
  "journal.retried": { level: "warn", message: "a commit of the journal failed and is tried again" },
  "journal.snapshotRefused": {
    level: "warn",
    message: "a stored snapshot is of no use; the run is read from what comes before it",
    fields: (event) => ({ ...event, advice: SNAPSHOT_ADVICE[event.reason] }),
  },
  "journal.fenced": { level: "error", message: "another node took over: this one may no longer write" },
  "bus.connected": { level: "info", message: "the message bus is connected" },
  "bus.disconnected": { level: "warn", message: "the message bus is not connected; the node goes on and connects when it can" },
  "bus.refused": { level: "error", message: "the server of the message bus denied this node a subject" },
  "bus.handlerFailed": { level: "error", message: "a handler of a message failed", fields: withProblem },
  "bus.dropped": { level: "warn", message: "a message was dropped because too many are being handled" },
  "bus.drainCut": { level: "warn", message: "the message bus was closed before everything was answered", fields: withProblem },
  "cluster.changed": { level: "info", message: "the cluster has changed" },
  "cluster.unheard": {
    level: "error",
    message: "this node hears none of the other nodes of its database on the message bus, and gets no shards until it does",
    fields: (event) => ({ ...event, advice: UNHEARD_ADVICE }),
  },
  "cluster.heard": { level: "info", message: "this node hears another one, and takes part" },
  "cluster.fenced": { level: "warn", message: "a node whose lease had ended was taken over" },
  "cluster.acquired": { level: "info", message: "this node took shards" },
  "cluster.handedOver": { level: "info", message: "this node handed shards over" },
  "cluster.handOverFailed": { level: "warn", message: "shards could not be handed over; it is tried again" },
  "cluster.storeFailed": { level: "warn", message: "the ownership could not be read or changed; it is tried again" },
  "events.published": undefined,
  "events.stalled": { level: "warn", message: "the event stream can't be had; events stay in the journal and are published when it is back" },
  "events.resumed": { level: "info", message: "the event stream is there" },
  "events.refused": { level: "warn", message: "the event stream refused an event, which is sent again" },
  "events.behind": { level: "warn", message: "events are published from the journal" },
  "events.caughtUp": { level: "info", message: "all events of the journal are published" },
  "events.catchUpFailed": { level: "warn", message: "events could not be published from the journal; it is tried again", fields: withProblem },
  "events.skipped": { level: "error", message: "the events of a run can't be published: its history can't be read", fields: withProblem },
  "events.leftToNewer": { level: "warn", message: "the events of a run wait for a node of a newer version, which alone can read its history" },
  "lease.renewed": { level: "debug", message: "the lease was renewed" },
  "database.returned": { level: "info", message: "the database answers again" },
  "lease.failed": { level: "warn", message: "the lease could not be renewed" },
  "clock.compared": undefined,
  "clock.skewed": {
    level: "warn",
    message: ({ offsetMs }) => `this node's wall clock is ${seconds(Math.abs(offsetMs))} s ${offsetMs > 0 ? "ahead of" : "behind"} PostgreSQL's`,
    fields: (event) => ({ ...roundedOffset(event), advice: skewAdvice(event) }),
  },
  "clock.aligned": { level: "info", message: "this node's wall clock agrees with PostgreSQL's again", fields: roundedOffset },
  "pool.started": { level: "info", message: "worker threads started" },
  "pool.changed": undefined,
  "pool.threadLost": { level: "warn", message: "a worker thread was lost and is replaced" },
  "slots.reclaimed": { level: "info", message: "slots of concurrency keys were freed that an earlier owner of their runs had left behind" },
  "task.ended": { level: "debug", message: "a task attempt ended" },
  "task.log": { level: "event", message: (event) => event.message, fields: ({ runId, task, attempt, data }) => ({ runId, task, attempt, data }) },
  "tasks.lent": undefined,
  "tasks.takenBack": { level: "debug", message: "task attempts came back from an executor without a result and are executed again" },
  "tasks.callFailed": { level: "error", message: "a call to another node about tasks failed" },
  "queue.unserved": { level: "warn", message: "tasks wait in a queue that no node serves" },
  "database.exited": { level: "error", message: "the embedded PostgreSQL stopped by itself and is started again" },
  "ledger.delayed": { level: "warn", message: "the table of task attempts could not be written" },
  "retention.swept": { level: "info", message: "runs that ended long ago were removed", when: ({ runs }) => runs > 0 },
  "retention.failed": { level: "warn", message: "old runs could not be removed; it is tried again" },
  "run.started": { level: "debug", message: "a run started" },
  "run.ended": { level: "debug", message: "a run ended" },
  "run.recovered": { level: "info", message: "runs of an earlier boot were taken up again" },
  "run.passivated": { level: "debug", message: "an idle run left memory" },
  "run.loaded": { level: "debug", message: "a run was loaded from its journal" },
  "run.leftToNewer": {
    level: "warn",
    message: "a run waits for a node of a newer version, which alone can read its history",
    fields: (event) => ({
      ...event,
      advice: "Upgrade this node, or keep nodes of the newer version running: one of them goes on with the run once it owns it.",
    }),
  },
  // Every audit tells what it found, so that the metric goes back to 0; only a finding is news.
  "run.withoutWakeup": { level: "error", message: "runs were found that nothing would ever wake", when: ({ runIds }) => runIds.length > 0 },
  "request.ended": undefined,
  "request.broken": { level: "error", message: "a call met an error that is a defect; its caller was told INTERNAL", fields: withProblem },
  "limit.near": {
    level: "warn",
    message: ({ subject, limit, value, bound }) => `${subject}: ${limit} is at ${value} of ${bound}`,
    fields: (event) => ({ ...event, advice: WATCHED_LIMITS[event.limit] }),
  },
  "expression.external": undefined,
};

function skewAdvice({ offsetMs }: RuntimeEvents["clock.skewed"]): string {
  const [here, elsewhere] = offsetMs > 0 ? ["early", "late"] : ["late", "early"];
  return (
    "Check NTP on this machine (chronyc tracking, timedatectl) and, if every node says so, on PostgreSQL's. " +
    `Timers that other nodes have set fire ${here} by that here, and those set here fire ${elsewhere} on other nodes, or once the clock is set right. Nothing else depends on it.`
  );
}

function roundedOffset({ offsetMs, uncertaintyMs }: RuntimeEvents["clock.skewed"]): object {
  return { offsetMs: Math.round(offsetMs), uncertaintyMs: Math.round(uncertaintyMs) };
}

function seconds(durationMs: number): string {
  return (durationMs / 1_000).toFixed(1);
}

function withProblem(event: { readonly error: unknown }): object {
  const { error, ...facts } = event;
  return { ...facts, problem: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}
