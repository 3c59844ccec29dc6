/**
 * Brings attempts of runs to the worker pool and their outcomes back to the runs. It knows an attempt until its end is committed: an actor that was restarted
 * or loaded again can ask for its attempts without executing one twice, and an outcome is offered again until the run has taken it.
 *
 * An attempt gets what it needs in one order: the slot of its concurrency key, then its turn among suspects of lost nodes, then a place in the pool. So nobody
 * who has a turn waits for a slot, which another may hold that waits for its turn.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { AttemptStatus, TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { AttemptOutcome, Isolation, WorkerPool } from "../../runtime/workers/pool.ts";
import { type DocumentScheduling, type Scheduling, scheduledAs } from "../../runtime/workers/scheduling.ts";
import type { TaskWait } from "../runs.ts";
import { attemptIdOf } from "./attempt-id.ts";
import { attemptRecord } from "./attempt-record.ts";
import type { ConcurrencySlots } from "./concurrency-slots.ts";
import type { AttemptView } from "./core/effects.ts";
import { LastAttempts } from "./last-attempts.ts";
import { OutcomeOffers } from "./outcome-offers.ts";
import type { ServedShards } from "./served-shards.ts";
import { SuspectTurns } from "./suspect-turns.ts";
import type { UnderWay } from "./under-way.ts";

/** When to offer an attempt again that the pool had no place for. */
const RESUBMIT_MS = 100;
/** When to offer an attempt again at which the pool itself failed, and how often before the attempt counts as failed. */
const RESUBMIT_BROKEN_MS = 1_000;
const BROKEN_SUBMITS = 10;
/** How long an attempt that has ended keeps its slot if its end can't be stored, in milliseconds. */
const SLOT_KEPT_MS = 30_000;

/** What the dispatcher needs. */
export interface DispatcherOptions {
  readonly pool: WorkerPool;
  readonly ledger: TaskLedger;
  readonly clock: Clock;
  readonly slots: Pick<ConcurrencySlots, "ask" | "waitOf" | "leave" | "forget" | "linger" | "executed" | "recall">;
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
  readonly #offers: OutcomeOffers;
  /** Ids that the pool has not settled. One may be dropped here, and asked for again, while its cancelled execution still goes on there. */
  readonly #inPool = new Set<string>();
  readonly #turns = new SuspectTurns();
  readonly #leaving = new Set<LastAttempts>();
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#offers = new OutcomeOffers(options.clock, ({ runId, call }, outcome) => options.settle(runId, call.frame, call.attempt, outcome));
  }

  /** Attempts whose end is not committed. */
  get size(): number {
    return this.#underWay.size;
  }

  /** True if attempts that wait like this need a slot of a concurrency key. */
  isLimited(handler: string, scheduling: DocumentScheduling | undefined): boolean {
    return this.#schedulingOf(handler, scheduling).concurrency !== undefined;
  }

  /** Has an attempt executed, unless it is under way already; if it has ended, its outcome is offered again. */
  dispatch(runId: RunId, call: AttemptView, input: string, traceParent: string, isolation: Isolation = "tier"): void {
    const id = idOf(runId, call.frame, call.attempt);
    this.#offers.repeat(id);
    const attempt = this.#underWay.get(id) ?? this.#add(id, runId, call, isolation === "tier" ? undefined : Number.POSITIVE_INFINITY);
    if (attempt === undefined || attempt.execution !== undefined || attempt.outcome !== undefined) return;
    attempt.execution = { input, traceParent, isolation };
    this.#options.ledger.record(attemptRecord(runId, call, "scheduled", this.#options.clock.now()));
    this.#begin(id, attempt);
  }

  /** Asks for an attempt's turn to be executed beside at most `width - 1` other suspects, unless it is under way already. */
  awaitTurn(runId: RunId, call: AttemptView, width: number): void {
    const id = idOf(runId, call.frame, call.attempt);
    this.#offers.repeat(id);
    const attempt = this.#underWay.get(id) ?? this.#add(id, runId, call, width);
    if (attempt === undefined || attempt.execution !== undefined || attempt.outcome !== undefined) return;
    attempt.width = width;
    this.#begin(id, attempt);
  }

  /** Undefined if nothing begins here, or not in that shard: the next owner finds the attempt in the run's history, and has it executed. */
  #add(id: string, runId: RunId, call: AttemptView, width: number | undefined): UnderWay | undefined {
    const { shards, clock } = this.#options;
    if (this.#closed || !shards.has(shardOf(runId))) return undefined;
    const scheduling = this.#schedulingOf(call.handler, call.scheduling);
    const fresh = { execution: undefined, told: 0, outcome: undefined, settledAtMs: 0, brokenSubmits: 0 };
    const attempt: UnderWay = { runId, call, scheduling, width, sinceMs: clock.monotonic(), ...fresh };
    this.#underWay.set(id, attempt);
    return attempt;
  }

  /**
   * True if an attempt that has a slot needs it: it is executed, is about to be, or its end is being stored. What can't be stored for long is executed no more,
   * and again if need be. An attempt that waits for the slot which it has is brought to it.
   */
  needsSlot(id: string): boolean {
    if (this.#inPool.has(id)) return true;
    const known = this.#underWay.get(id);
    if (known === undefined) return false;
    return known.outcome === undefined ? this.#options.slots.recall(id) : this.#options.clock.monotonic() < known.settledAtMs + SLOT_KEPT_MS;
  }

  /** What an attempt waits for before it is executed; undefined if for nothing, or for its turn as a suspect. */
  waitOf(runId: RunId, frame: number, attempt: number): TaskWait | undefined {
    const id = idOf(runId, frame, attempt);
    const known = this.#underWay.get(id);
    if (known === undefined || known.outcome !== undefined) return undefined;
    const { clock, slots, pool } = this.#options;
    const wallMs = (sinceMs: number): number => Math.round(clock.now() - clock.monotonic() + sinceMs);
    const slot = slots.waitOf(id);
    if (slot !== undefined) return { kind: "concurrency", key: slot.key, limit: slot.limit, sinceMs: wallMs(slot.sinceMs) };
    // One that the pool had no place for is about to be offered again.
    const sinceMs = this.#inPool.has(id) ? pool.waitingSinceMs(id) : known.execution && known.sinceMs;
    return sinceMs === undefined ? undefined : { kind: "queue", queue: known.scheduling.queue, sinceMs: wallMs(sinceMs) };
  }

  /** The run does not want an attempt's outcome any more. */
  abandon(runId: RunId, frame: number, attempt: number): void {
    this.#drop(idOf(runId, frame, attempt));
  }

  /** An attempt's end was committed. */
  over(runId: RunId, call: AttemptView, status: AttemptStatus, errorMessage: string | undefined): void {
    if (status !== "cancelled") this.#forget(idOf(runId, call.frame, call.attempt));
    this.#options.ledger.record(attemptRecord(runId, call, status, this.#options.clock.now(), errorMessage));
  }

  /** Lets the attempts of shards that are served no more end within `graceMs`. Those that do not are cancelled and forgotten, whatever becomes of them. */
  async leave(shards: ShardSet, graceMs: number): Promise<void> {
    const ids = [...this.#underWay].filter(([, { runId }]) => shards.has(shardOf(runId))).map(([id]) => id);
    for (const id of ids) if (!this.#inPool.has(id) && this.#underWay.get(id)?.outcome === undefined) this.#giveUp(id);
    const last = new LastAttempts(ids.filter((id) => this.#underWay.has(id)));
    this.#leaving.add(last);
    await last.wait(graceMs, this.#options.clock);
    this.#leaving.delete(last);
    const left = [...last.left];
    await this.#options.slots.linger(left.filter((id) => this.#inPool.has(id)));
    for (const id of left) this.#giveUp(id);
  }

  /** Submits and offers nothing any more: the actors are about to stop. */
  close(): void {
    this.#closed = true;
    this.#offers.close();
  }

  /** It is not executed here. Its slot stays with it, for whoever has it executed. */
  #giveUp(id: string): void {
    this.#options.slots.forget(id);
    this.#drop(id);
  }

  #drop(id: string): void {
    const known = this.#underWay.get(id);
    this.#forget(id);
    if (known !== undefined && known.outcome === undefined) this.#options.pool.cancel(id);
  }

  /** Has an attempt go on once it has the slot that it needs, if it needs one. */
  #begin(id: string, attempt: UnderWay): void {
    const { runId, call, scheduling, sinceMs } = attempt;
    const { concurrency, priority } = scheduling;
    if (concurrency === undefined) return this.#takeTurn(id, attempt);
    if (!this.#isWanted(id, attempt)) return;
    const { clock, pool, slots } = this.#options;
    const allMs = pool.handlers.get(call.handler)?.options.scheduleToStartMs;
    const boundMs = allMs === undefined ? undefined : Math.max(0, sinceMs + allMs - clock.monotonic());
    const message = `${call.handler} waited for ${allMs} ms for a slot of the concurrency key ${concurrency.key}.`;
    try {
      slots.ask({
        ...{ id, priority, boundMs, sinceMs },
        request: { ...concurrency, runId, frame: call.frame, attempt: call.attempt },
        begin: () => this.#takeTurn(id, attempt),
        late: () => this.#settle(id, attempt, { kind: "failed", error: { kind: "timedOut", timeout: "scheduleToStart", message } }),
      });
    } catch (error) {
      this.#notSubmitted(id, attempt, error);
    }
  }

  /** Has an attempt go on when it is its turn, if it needs one. */
  #takeTurn(id: string, attempt: UnderWay): void {
    if (attempt.width === undefined) return this.#submit(id, attempt);
    if (!this.#isWanted(id, attempt)) return;
    const { clock } = this.#options;
    const askedMs = clock.monotonic();
    this.#turns.ask(id, attempt.width, () => {
      attempt.sinceMs += clock.monotonic() - askedMs;
      if (attempt.execution === undefined) this.#tellTurn(id, attempt);
      else this.#submit(id, attempt);
    });
  }

  /** The run has it executed once it has stored that. */
  #tellTurn(id: string, attempt: UnderWay): void {
    const { runId, call } = attempt;
    attempt.told += 1;
    const { told } = attempt;
    this.#options.isolate(runId, call.frame, call.attempt, (failure) => {
      if (!this.#isWanted(id, attempt) || attempt.told !== told || attempt.execution !== undefined) return;
      // The run may not want the attempt any more; a run that failed asks again when it was read back.
      this.#giveUp(id);
      if (failure?.retryable !== true) return;
      this.#options.clock.schedule(failure.retryAfterMs ?? RESUBMIT_MS, () => this.awaitTurn(runId, call, attempt.width ?? 1));
    });
  }

  #schedulingOf(handler: string, document: DocumentScheduling | undefined): Scheduling {
    return scheduledAs(handler, this.#options.pool.handlers.get(handler)?.options, document);
  }

  #isWanted(id: string, attempt: UnderWay): boolean {
    return !this.#closed && this.#underWay.get(id) === attempt;
  }

  #submit(id: string, attempt: UnderWay): void {
    const { runId, call, execution, scheduling, sinceMs } = attempt;
    const { pool, clock } = this.#options;
    // An earlier execution of the same attempt is being cancelled: this one begins when that has ended.
    if (!this.#isWanted(id, attempt) || this.#inPool.has(id) || execution === undefined) return;
    // Nothing begins in a shard that is being handed over, and what was lost has not ended.
    if (!this.#options.shards.has(shardOf(runId))) return;
    const request = {
      ...{ id, runId, ...execution, ...scheduling },
      waitedMs: clock.monotonic() - sinceMs,
      handler: call.handler,
      idempotencyKey: `${runId}:${call.frame}`,
      task: call.path,
      attempt: call.attempt,
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
    if (outcome.kind === "failed" && outcome.error.kind === "lost") {
      attempt.sinceMs = this.#options.clock.monotonic();
      return this.#submit(id, attempt);
    }
    attempt.outcome = outcome;
    attempt.settledAtMs = this.#options.clock.monotonic();
    this.#offers.add(id, attempt, outcome);
  }

  #forget(id: string): void {
    this.#underWay.delete(id);
    this.#offers.forget(id);
    this.#turns.leave(id);
    for (const last of this.#leaving) last.ended(id);
    if (!this.#inPool.has(id)) this.#options.slots.leave(id);
  }
}

function idOf(runId: RunId, frame: number, attempt: number): string {
  return attemptIdOf({ runId, frame, attempt });
}
