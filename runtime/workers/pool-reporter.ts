/**
 * Turns what a pool does into events for observers. Changes of its numbers are told a few times a second at most.
 */
import type { CancelTimer } from "../clock.ts";
import { LimitEdge, LimitWatch } from "../limit-watch.ts";
import type { Execution } from "./execution.ts";
import type { Attempt, AttemptOutcome, PoolState } from "./pool.ts";
import type { Reply } from "./protocol.ts";
import type { ThreadLoss } from "./thread-loss.ts";
import type { ThreadPoolOptions } from "./thread-pool-options.ts";

const CHANGES_PERIOD_MS = 250;

/** Reports on one pool. */
export class PoolReporter {
  readonly #options: ThreadPoolOptions;
  readonly #state: () => PoolState;
  readonly #queueEdge: LimitEdge;
  #pending: CancelTimer | undefined;

  constructor(options: ThreadPoolOptions, state: () => PoolState) {
    this.#options = options;
    this.#state = state;
    const { clock, events, tier, queueLength } = options;
    this.#queueEdge = new LimitEdge(new LimitWatch(clock, events), "taskQueueLength", `tasks of the tier ${tier}`, queueLength);
  }

  /** All threads are ready. */
  started(): void {
    this.#options.events.emit("pool.started", { tier: this.#options.tier, threads: this.#state().threads });
  }

  /** The pool's numbers have changed. */
  changed(): void {
    if (this.#pending !== undefined || !this.#options.events.has("pool.changed")) return;
    this.#pending = this.#options.clock.schedule(CHANGES_PERIOD_MS, () => {
      this.#pending = undefined;
      this.#options.events.emit("pool.changed", { tier: this.#options.tier, ...this.#state() });
    });
  }

  /** The queue has become this long. */
  queued(length: number): void {
    this.#queueEdge.note(length);
  }

  /** A thread has ended unasked. */
  threadLost(loss: ThreadLoss): void {
    this.#options.events.emit("pool.threadLost", { tier: this.#options.tier, reason: loss.reason, tasks: loss.attempts });
  }

  /** An attempt has ended. */
  ended(execution: Execution, outcome: AttemptOutcome): void {
    if (!this.#options.events.has("task.ended")) return;
    this.#options.events.emit("task.ended", {
      handler: execution.attempt.handler,
      outcome: outcome.kind === "failed" ? outcome.error.kind : outcome.kind,
      queuedMs: execution.startedAtMs - execution.queuedAtMs,
      durationMs: this.#options.clock.monotonic() - execution.startedAtMs,
    });
  }

  /** An attempt, or a handler module outside any (then `attempt` is undefined), has written a line. */
  log(line: Reply & { kind: "log" }, attempt: Attempt | undefined): void {
    if (!this.#options.events.has("task.log")) return;
    this.#options.events.emit("task.log", {
      level: line.level,
      runId: attempt?.runId ?? "",
      task: attempt?.task ?? "",
      attempt: attempt?.attempt ?? 0,
      message: line.message,
      ...(line.data === "" ? {} : { data: JSON.parse(line.data) as unknown }),
    });
  }

  /** Reports how the pool ended, and no more changes. */
  stop(): void {
    this.#pending?.();
    this.#pending = undefined;
    this.#options.events.emit("pool.changed", { tier: this.#options.tier, ...this.#state() });
  }
}
