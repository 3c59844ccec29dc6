/**
 * Brings attempts of runs to the worker pool and their outcomes back to the runs. It knows an attempt until its end is committed: an actor that was restarted
 * or loaded again can ask for its attempts without executing one twice, and an outcome is offered again until the run has taken it.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { AttemptStatus, TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { AttemptOutcome, Isolation, WorkerPool } from "../../runtime/workers/pool.ts";
import { scheduledAs } from "../../runtime/workers/scheduling.ts";
import { attemptIdOf } from "./attempt-id.ts";
import type { ConcurrencySlots } from "./concurrency-slots.ts";
import type { AttemptView } from "./core/effects.ts";
import { LastAttempts } from "./last-attempts.ts";
import type { ServedShards } from "./served-shards.ts";
import { SuspectTurns } from "./suspect-turns.ts";
import type { UnderWay } from "./under-way.ts";

/** When to offer an attempt again that the pool had no place for. */
const RESUBMIT_MS = 100;
/** When to offer an attempt again at which the pool itself failed, and how often before the attempt counts as failed. */
const RESUBMIT_BROKEN_MS = 1_000;
const BROKEN_SUBMITS = 10;
/** First and longest time after which an outcome is offered again that no commit has confirmed. */
const REOFFER_FIRST_MS = 1_000;
const REOFFER_MAX_MS = 30_000;
/** How long an attempt that has ended keeps its slot if its end can't be stored, in milliseconds. */
const SLOT_KEPT_MS = 30_000;
/** Longest error message that is kept in the ledger, in characters; the history has the whole. */
const ERROR_MESSAGE_LENGTH = 2_000;

/** What the dispatcher needs. */
export interface DispatcherOptions {
  readonly pool: WorkerPool;
  readonly ledger: TaskLedger;
  readonly clock: Clock;
  readonly slots: Pick<ConcurrencySlots, "ask" | "leave" | "forget" | "linger" | "executed">;
  /** Shards whose attempts are executed here; for the others nothing begins. */
  readonly shards: ServedShards;
  /** Hands an outcome to its run, which may be told the same outcome again. */
  settle(runId: RunId, frame: number, attempt: number, outcome: AttemptOutcome): void;
  /** Tells a run that it is the turn of an attempt that was under way at several losses of a node. `answer` is called once that is committed and carried out, or with why it is not. */
  isolate(runId: RunId, frame: number, attempt: number, answer: (failure: MaestroError | undefined) => void): void;
  /** The pool failed at an attempt; it is tried again. For the log. */
  onTrouble(what: string, error: unknown): void;
}

/** The attempts of one node whose end is not committed. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #underWay = new Map<string, UnderWay>();
  /** Those of them that have an outcome. */
  readonly #settled = new Map<string, UnderWay>();
  /** Ids that the pool has not settled. One may be dropped here, and asked for again, while its cancelled execution still goes on there. */
  readonly #inPool = new Set<string>();
  readonly #turns = new SuspectTurns();
  readonly #leaving = new Set<LastAttempts>();
  #cancelReoffer: CancelTimer | undefined;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Attempts whose end is not committed. */
  get size(): number {
    return this.#underWay.size;
  }

  /** Has an attempt executed, unless it is under way already; if it has ended, its outcome is offered again. */
  dispatch(runId: RunId, call: AttemptView, input: string, traceParent: string, isolation: Isolation = "tier"): void {
    const id = idOf(runId, call.frame, call.attempt);
    const known = this.#underWay.get(id);
    if (known !== undefined) {
      if (known.outcome !== undefined) this.#offer(known, known.outcome);
      return;
    }
    // Of a shard that is being handed over: the next owner finds the attempt in the run's history, and has it executed.
    if (!this.#options.shards.has(shardOf(runId))) return;
    const attempt: UnderWay = {
      runId,
      call,
      input,
      traceParent,
      isolation,
      scheduling: scheduledAs(call.handler, this.#options.pool.handlers.get(call.handler)?.options, call.scheduling),
      waitedMs: 0,
      outcome: undefined,
      settledAtMs: 0,
      brokenSubmits: 0,
      nextOfferMs: 0,
      patienceMs: REOFFER_FIRST_MS,
    };
    this.#underWay.set(id, attempt);
    this.#note(runId, call, "scheduled");
    if (isolation === "tier") this.#begin(id, attempt);
    else this.#turns.ask(id, Number.POSITIVE_INFINITY, () => this.#begin(id, attempt));
  }

  /** True if an attempt that has a slot needs it: it is executed, or its end is being stored. What can't be stored for long is executed no more, and again if need be. */
  needsSlot(id: string): boolean {
    if (this.#inPool.has(id)) return true;
    const known = this.#underWay.get(id);
    return known !== undefined && (known.outcome === undefined || this.#options.clock.monotonic() < known.settledAtMs + SLOT_KEPT_MS);
  }

  /** Asks for an attempt's turn to be executed beside at most `width - 1` other suspects, unless it is under way already. */
  awaitTurn(runId: RunId, frame: number, attempt: number, width: number): void {
    const id = idOf(runId, frame, attempt);
    const known = this.#underWay.get(id);
    if (known?.outcome !== undefined) this.#offer(known, known.outcome);
    if (known !== undefined || this.#closed || !this.#options.shards.has(shardOf(runId))) return;
    this.#turns.ask(id, width, () => {
      this.#options.isolate(runId, frame, attempt, (failure) => {
        // The run may not want the attempt any more; a run that failed asks again when it was read back.
        if (!this.#underWay.has(id)) this.#turns.leave(id);
        if (failure?.retryable !== true) return;
        this.#options.clock.schedule(failure.retryAfterMs ?? RESUBMIT_MS, () => this.awaitTurn(runId, frame, attempt, width));
      });
    });
  }

  /** The run does not want an attempt's outcome any more. */
  abandon(runId: RunId, frame: number, attempt: number): void {
    this.#drop(idOf(runId, frame, attempt));
  }

  /** An attempt's end was committed. */
  over(runId: RunId, call: AttemptView, status: AttemptStatus, errorMessage: string | undefined): void {
    if (status !== "cancelled") this.#forget(idOf(runId, call.frame, call.attempt));
    this.#note(runId, call, status, errorMessage);
  }

  /** Lets the attempts of shards that are served no more end within `graceMs`. Those that do not are cancelled and forgotten, whatever becomes of them. */
  async leave(shards: ShardSet, graceMs: number): Promise<void> {
    for (const id of this.#turns.ids()) if (shards.has(shardOf(id as RunId)) && !this.#underWay.has(id)) this.#turns.leave(id);
    const last = new LastAttempts(
      [...this.#underWay.values()].filter(({ runId }) => shards.has(shardOf(runId))).map(({ runId, call }) => idOf(runId, call.frame, call.attempt)),
    );
    this.#leaving.add(last);
    await last.wait(graceMs, this.#options.clock);
    this.#leaving.delete(last);
    const { slots } = this.#options;
    const left = [...last.left];
    await slots.linger(left.filter((id) => this.#inPool.has(id)));
    for (const id of left) {
      // The slot stays with the attempt, which the next owner has executed.
      slots.forget(id);
      this.#drop(id);
    }
  }

  /** Submits and offers nothing any more: the actors are about to stop. */
  close(): void {
    this.#closed = true;
    this.#cancelReoffer?.();
  }

  #drop(id: string): void {
    const known = this.#underWay.get(id);
    this.#forget(id);
    if (known !== undefined && known.outcome === undefined) this.#options.pool.cancel(id);
  }

  /** Has an attempt executed once it has the slot that it needs, if it needs one. */
  #begin(id: string, attempt: UnderWay): void {
    const { runId, call, scheduling } = attempt;
    const { concurrency, priority } = scheduling;
    if (concurrency === undefined) return this.#submit(id, attempt);
    if (this.#closed || this.#underWay.get(id) !== attempt) return;
    const { clock, pool, slots } = this.#options;
    const sinceMs = clock.monotonic();
    const boundMs = pool.handlers.get(call.handler)?.options.scheduleToStartMs;
    const message = `${call.handler} waited for ${boundMs} ms for a slot of the concurrency key ${concurrency.key}.`;
    try {
      slots.ask({
        ...{ id, priority, boundMs },
        request: { ...concurrency, runId, frame: call.frame, attempt: call.attempt },
        begin: () => {
          attempt.waitedMs = clock.monotonic() - sinceMs;
          this.#submit(id, attempt);
        },
        late: () => this.#settle(id, attempt, { kind: "failed", error: { kind: "timedOut", timeout: "scheduleToStart", message } }),
      });
    } catch (error) {
      this.#notSubmitted(id, attempt, error);
    }
  }

  #submit(id: string, attempt: UnderWay): void {
    const { runId, call, input, traceParent, isolation, scheduling } = attempt;
    const { pool } = this.#options;
    // An earlier execution of the same attempt is being cancelled: this one begins when that has ended.
    if (this.#closed || this.#underWay.get(id) !== attempt || this.#inPool.has(id)) return;
    // Nothing begins in a shard that is being handed over, and what waits for its slot or was lost has not ended.
    if (!this.#options.shards.has(shardOf(runId))) return;
    const request = {
      id,
      queue: scheduling.queue,
      priority: scheduling.priority,
      concurrency: scheduling.concurrency,
      waitedMs: attempt.waitedMs,
      handler: call.handler,
      input,
      idempotencyKey: `${runId}:${call.frame}`,
      runId,
      task: call.path,
      attempt: call.attempt,
      traceParent,
      isolation,
    };
    try {
      pool.submit(request, (outcome) => this.#ended(id, attempt, outcome));
      this.#inPool.add(id);
    } catch (error) {
      this.#notSubmitted(id, attempt, error);
    }
  }

  /** The pool has no place now, or failed itself. That is no fault of the task: it is offered again, and what fails for long has crashed, which may be retried. */
  #notSubmitted(id: string, attempt: UnderWay, error: unknown): void {
    const { clock, onTrouble } = this.#options;
    const again = (delayMs: number): unknown => clock.schedule(delayMs, () => this.#begin(id, attempt));
    if (error instanceof MaestroError && error.retryable) return void again(error.retryAfterMs ?? RESUBMIT_MS);
    onTrouble(`attempt ${id} could not be submitted`, error);
    attempt.brokenSubmits += 1;
    if (attempt.brokenSubmits < BROKEN_SUBMITS) again(RESUBMIT_BROKEN_MS);
    else this.#settle(id, attempt, { kind: "failed", error: { kind: "crashed", message: messageOf(error) } });
  }

  /** The pool has settled an attempt. If it was dropped meanwhile and asked for again, that execution may begin. */
  #ended(id: string, attempt: UnderWay, outcome: AttemptOutcome): void {
    this.#inPool.delete(id);
    this.#options.slots.executed(id);
    const known = this.#underWay.get(id);
    if (known === attempt) this.#settle(id, attempt, outcome);
    else if (known !== undefined) this.#begin(id, known);
    else this.#options.slots.leave(id);
  }

  #settle(id: string, attempt: UnderWay, outcome: AttemptOutcome): void {
    if (this.#underWay.get(id) !== attempt) return;
    // The attempt went down with a neighbour that broke their thread: it is executed again and counts as the same attempt.
    if (outcome.kind === "failed" && outcome.error.kind === "lost") return this.#submit(id, attempt);
    attempt.outcome = outcome;
    attempt.settledAtMs = this.#options.clock.monotonic();
    this.#settled.set(id, attempt);
    this.#offer(attempt, outcome);
    this.#armReoffer();
  }

  #offer(attempt: UnderWay, outcome: AttemptOutcome): void {
    if (this.#closed) return;
    attempt.nextOfferMs = this.#options.clock.monotonic() + attempt.patienceMs;
    attempt.patienceMs = Math.min(2 * attempt.patienceMs, REOFFER_MAX_MS);
    this.#options.settle(attempt.runId, attempt.call.frame, attempt.call.attempt, outcome);
  }

  /** An outcome that met a full mailbox, or an actor that failed before it was stored, comes again. */
  #armReoffer(): void {
    if (this.#closed || this.#cancelReoffer !== undefined) return;
    this.#cancelReoffer = this.#options.clock.schedule(REOFFER_FIRST_MS, () => {
      this.#cancelReoffer = undefined;
      const nowMs = this.#options.clock.monotonic();
      for (const attempt of this.#settled.values())
        if (attempt.outcome !== undefined && attempt.nextOfferMs <= nowMs) this.#offer(attempt, attempt.outcome);
      if (this.#settled.size > 0) this.#armReoffer();
    });
  }

  #forget(id: string): void {
    this.#underWay.delete(id);
    this.#settled.delete(id);
    this.#turns.leave(id);
    for (const last of this.#leaving) last.ended(id);
    if (!this.#inPool.has(id)) this.#options.slots.leave(id);
  }

  #note(runId: RunId, call: AttemptView, status: AttemptStatus, errorMessage?: string): void {
    const { frame, attempt, path, handler, createdAtMs } = call;
    this.#options.ledger.record({
      runId,
      frame,
      attempt,
      path,
      handler,
      status,
      createdAtMs,
      endedAtMs: status === "scheduled" ? undefined : this.#options.clock.now(),
      errorMessage: errorMessage?.slice(0, ERROR_MESSAGE_LENGTH),
    });
  }
}

function idOf(runId: RunId, frame: number, attempt: number): string {
  return attemptIdOf({ runId, frame, attempt });
}
