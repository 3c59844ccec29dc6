/**
 * Typed events of everything observable inside a node. The runtime emits; metrics, logs, the dashboard and tests subscribe. Emitting costs
 * a property look-up when nobody listens. Events are facts for observers: nothing may depend on one for its correctness.
 */

import type { WatchedLimit } from "./watched-limits.ts";

/** What happened, by name. `durationMs` is measured on the monotonic clock. */
export interface RuntimeEvents {
  "actor.failed": { readonly path: string; readonly directive: "resume" | "restart" | "stop" | "escalate" | "quarantine"; readonly error: unknown };
  "actor.quarantined": { readonly path: string; readonly failures: number; readonly error: unknown };
  "actor.deadlock": { readonly cycle: readonly string[] };
  "message.dead": { readonly path: string; readonly reason: string; readonly suppressed: number };
  "journal.committed": {
    readonly lane: number;
    readonly writes: number;
    readonly entries: number;
    readonly bytes: number;
    readonly durationMs: number;
  };
  /** A lane has writes to commit, and has committed or refused them: the first once before the second. */
  "journal.begun": { readonly lane: number };
  "journal.settled": { readonly lane: number };
  "journal.retried": { readonly lane: number; readonly attempt: number; readonly reason: string };
  /** A stored snapshot is of no use: its checksum differs, or nobody can read it. The run is read from what comes before it. */
  "journal.snapshotRefused": { readonly runId: string; readonly seq: number; readonly reason: "checksum" | "format" };
  "journal.fenced": { readonly lane: number };
  "bus.connected": { readonly address: string };
  /** The bus went away, or was not there at the start. Told once until it is back. */
  "bus.disconnected": { readonly address: string; readonly reason: string };
  /** The server refused a subscription or a message: this user lacks the permission. */
  "bus.refused": { readonly subject: string; readonly reason: string };
  "bus.handlerFailed": { readonly subject: string; readonly error: unknown };
  /** A message was not handled because too many handlers are under way. `suppressed`: how many more went untold before. */
  "bus.dropped": { readonly subject: string; readonly handlers: number; readonly suppressed: number };
  /** Draining ended before everything was done. */
  "bus.drainCut": { readonly requests: number; readonly handlers: number; readonly error: unknown };
  /** This node has seen a new version of the ownership. */
  "cluster.changed": { readonly version: number; readonly members: number; readonly held: number };
  /** This node has started and hears none of the other members on the bus: it gets no shards until it does. */
  "cluster.unheard": { readonly peers: number };
  /** It hears one of them after all. */
  "cluster.heard": Readonly<Record<string, never>>;
  /** This node took over a boot whose lease had ended. */
  "cluster.fenced": { readonly bootId: string };
  /** This node got shards. `bereft`: of owners that were lost. */
  "cluster.acquired": { readonly shards: number; readonly bereft: number; readonly durationMs: number };
  "cluster.handedOver": { readonly shards: number; readonly durationMs: number };
  "cluster.handOverFailed": { readonly shards: number; readonly reason: string };
  /** The ownership could not be read or changed; it is tried again. */
  "cluster.storeFailed": { readonly operation: string; readonly reason: string };
  /** Events went to the stream in the last second: how many, and how many wait. */
  "events.published": { readonly count: number; readonly waiting: number };
  /** The event stream can't be had. Told once until it is back; events stay in the journal meanwhile. */
  "events.stalled": { readonly reason: string };
  "events.resumed": { readonly waiting: number };
  /** The stream refused an event, which is sent again. `suppressed`: how many refusals went untold before. */
  "events.refused": { readonly reason: string; readonly suppressed: number };
  /** More events wait than memory holds, or earlier owners of shards left some: they are read from the journal. */
  "events.behind": { readonly shards: number; readonly reason: "leftBehind" | "queueFull" };
  "events.caughtUp": { readonly runs: number; readonly published: number; readonly durationMs: number };
  "events.catchUpFailed": { readonly error: unknown };
  /** The events of a run can't be told: its history can't be read. */
  "events.skipped": { readonly runId: string; readonly error: unknown };
  /** The events of a run wait: only a newer version of the program can read its history. The node of that version that owns the run next publishes them. */
  "events.leftToNewer": { readonly runId: string };
  "database.exited": { readonly reason: string; readonly restartInMs: number };
  "ledger.delayed": { readonly records: number; readonly dropped: number; readonly reason: string };
  "retention.swept": { readonly runs: number; readonly keys: number };
  "retention.failed": { readonly reason: string };
  "lease.renewed": { readonly durationMs: number };
  "lease.failed": { readonly reason: string };
  /** A renewal was answered after others were not: whoever still waits for an answer of the database from before should ask again. */
  "database.returned": { readonly awayMs: number };
  /** The node's wall clock was compared with the store's: what the last renewals show of their difference. `offsetMs` is positive if the node is ahead. */
  "clock.compared": { readonly offsetMs: number; readonly uncertaintyMs: number };
  /** The difference passed its bound for certain. Told once until it is well below it. */
  "clock.skewed": { readonly offsetMs: number; readonly uncertaintyMs: number };
  "clock.aligned": { readonly offsetMs: number; readonly uncertaintyMs: number };
  "pool.started": { readonly tier: "thread" | "process"; readonly threads: number };
  "pool.changed": { readonly tier: "thread" | "process"; readonly threads: number; readonly active: number; readonly queued: number };
  "pool.threadLost": { readonly tier: "thread" | "process"; readonly reason: string; readonly tasks: number };
  /** Slots of concurrency keys were freed whose attempts are under way nowhere: an earlier owner of their runs did not get to it. */
  "slots.reclaimed": { readonly count: number };
  "task.ended": { readonly handler: string; readonly outcome: string; readonly queuedMs: number; readonly durationMs: number };
  "task.log": {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly runId: string;
    readonly task: string;
    readonly attempt: number;
    readonly message: string;
    readonly data?: unknown;
  };
  /** Attempts of this node's runs were lent to an executor, and came back without a result. */
  "tasks.lent": { readonly count: number };
  "tasks.takenBack": { readonly count: number; readonly reason: "expired" | "lost" | "givenBack" | "unheld" };
  /** A call about tasks failed in a way that is none of the network's. */
  "tasks.callFailed": { readonly bootId: string; readonly reason: string };
  /** Attempts wait in a queue that no node serves. Told once until one does. */
  "queue.unserved": { readonly queue: string; readonly waiting: number };
  "run.started": { readonly runId: string; readonly workflow: string };
  "run.ended": { readonly runId: string; readonly workflow: string; readonly status: string; readonly durationMs: number; readonly error?: string };
  "run.recovered": { readonly count: number; readonly durationMs: number };
  "run.passivated": { readonly runId: string };
  "run.loaded": { readonly runId: string; readonly entries: number; readonly durationMs: number };
  /** Only a newer version of the program can read the run. It waits for a node of that version to own it. Told once of each run by each boot. */
  "run.leftToNewer": { readonly runId: string };
  "run.withoutWakeup": { readonly runIds: readonly string[] };
  /** A call of the gateway was answered. `code` is "OK" or an error code of the registry; one for a whole stream. */
  "request.ended": { readonly method: string; readonly code: string; readonly durationMs: number };
  /** A call met an error that is none of the registry: a defect. The caller is told nothing of it. */
  "request.broken": { readonly method: string; readonly error: unknown };
  /** Something has passed half of its bound; it is told of again only after it was far from it. `suppressed`: how many crossings went untold before. */
  "limit.near": {
    readonly limit: WatchedLimit;
    readonly value: number;
    readonly bound: number;
    readonly subject: string;
    readonly runId?: string;
    readonly workflow?: string;
    readonly suppressed: number;
  };
  "expression.external": { readonly durationMs: number };
}

/** Name of an event. */
export type EventName = keyof RuntimeEvents;

/** Receives events of one name. Must not throw and must not block. */
export type EventListener<N extends EventName> = (event: RuntimeEvents[N]) => void;

/** One node's event hub. */
export class EventHub {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>();

  /** Tells every listener of `name`. */
  emit<N extends EventName>(name: N, event: RuntimeEvents[N]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) (listener as EventListener<N>)(event);
  }

  /** Subscribes; the returned function unsubscribes. */
  on<N extends EventName>(name: N, listener: EventListener<N>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  /** True if somebody listens: lets a hot path skip building an event. */
  has(name: EventName): boolean {
    return this.#listeners.has(name);
  }
}
