/**
 * The attempts of a node's own runs that its own worker pool did not take at once: they wait, are lent to executors that ask, and come back or settle. Everything
 * that executors say may be late, lost or said twice; whatever arrives, an attempt settles once, and waits or is lent until then.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import { LIMITS } from "../limits.ts";
import { type Attempt, type AttemptOutcome, type HandlerInfo, type Tier, tierOf } from "../workers/pool.ts";
import { failed } from "../workers/protocol.ts";
import { turnOf } from "../workers/scheduling.ts";
import { AttemptBacklog, type LineFilter } from "./attempt-backlog.ts";
import { type Lent, type LentHere, type LoanName, Loans } from "./loans.ts";
import { MissingHandlers } from "./missing-handlers.ts";
import { asItIs, type PendingAttempt } from "./pending-attempt.ts";
import type { ByTier } from "./slots.ts";

/** How long attempts wait although no executor has their handler, in milliseconds: one that has may be starting again. */
const HOPE_MS = 30_000;
/** When a full backlog is worth another try, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** What a lender needs. */
export interface LenderOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventHub;
  /** The handlers that this node knows: their bounds hold wherever they are executed. */
  readonly handlers: ReadonlyMap<string, HandlerInfo>;
  /** Attempts that may wait in all; if there are as many, a queue with less than its share may grow to it. */
  readonly queueLength: number;
  /** Says whether some node might execute an attempt; `lacks`: it is known that it has no such handler. Undefined while nobody can know. */
  isExecutable(queue: string, lacks: (executor: BootId) => boolean, handler: string): boolean | undefined;
  /** How many other nodes take attempts, as far as is known. */
  takers(): number;
  /** Tells an executor that nobody wants these any more. A hint. */
  hintCancelled(executor: BootId, loan: LoanName): void;
  /** Called when an attempt begins to wait; `isFirst`: none did that asks for the same of an executor. */
  onWaiting(isFirst: boolean): void;
  /** Called with an attempt that no node can execute; it is the lender's no more. */
  refuse(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void;
}

/** The lender of one node. */
export class Lender {
  readonly #options: LenderOptions;
  readonly #backlog = new AttemptBacklog();
  readonly #loans: Loans;
  readonly #pending = new Map<string, PendingAttempt>();
  readonly #missing = new MissingHandlers();
  #lastOrder = 0;

  constructor(options: LenderOptions) {
    this.#options = options;
    this.#loans = new Loans(options.clock);
  }

  /** What waits. */
  get backlog(): Pick<AttemptBacklog, "size" | "queues" | "count"> {
    return this.#backlog;
  }

  /** Attempts that are lent, by queue. */
  get lentByQueue(): ReadonlyMap<string, number> {
    return this.#loans.byQueue;
  }

  /** Attempts that are lent. */
  get lentCount(): number {
    return this.#pending.size - this.#backlog.size;
  }

  /** Has an attempt wait for an executor. @throws TASK_QUEUE_FULL */
  add(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    this.#requireRoom(attempt.queue);
    this.#lastOrder += 1;
    const turnMs = turnOf(attempt.priority, this.#options.clock.monotonic());
    const { waitedMs = 0 } = attempt;
    const fresh = {
      waitedMs,
      tier: "thread" as const,
      waitingSinceMs: 0,
      place: -1,
      loan: undefined,
      borrowers: [],
      losses: 0,
      isCancelled: false,
      result: undefined,
      stopWatch: undefined,
    };
    const pending: PendingAttempt = { attempt, settle, order: this.#lastOrder, turnMs, ...fresh };
    this.#pending.set(attempt.id, pending);
    this.#wait(pending);
  }

  /** Nobody wants an attempt any more. Answers false if it is not here. */
  cancel(id: string): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    const { loan } = pending;
    pending.isCancelled = true;
    if (loan !== undefined) this.#options.hintCancelled(loan.executor, { id, grant: loan.grant });
    else {
      this.#backlog.remove(pending);
      this.#options.scheduler.afterIo(() => this.#settleIfHere(pending, { kind: "cancelled" }));
    }
    return true;
  }

  /** Since when an attempt waits here, on the monotonic clock. Undefined: it is lent, or was never here. */
  waitingSinceMs(id: string): number | undefined {
    const pending = this.#pending.get(id);
    return pending?.loan === undefined ? pending?.waitingSinceMs : undefined;
  }

  /** The next attempt that this node can execute itself; it is the lender's no more. `yields`: true if it was left behind others, so that it may have no slot now. */
  takeHere(canExecute: LineFilter, yields: (tier: Tier, turnMs: number) => boolean): Pick<PendingAttempt, "attempt" | "tier" | "settle"> | undefined {
    let pending = this.#backlog.next(canExecute);
    while (pending !== undefined && yields(pending.tier, pending.turnMs)) pending = this.#backlog.next(canExecute);
    if (pending === undefined) return undefined;
    this.#forget(pending);
    return { attempt: asItIs(pending), tier: pending.tier, settle: pending.settle };
  }

  /** Lends up to so many attempts of each tier: at most the share of one among those who take. */
  lend(executor: BootId, grant: number, serves: (queue: string) => boolean, counts: ByTier): Lent {
    const canExecute: LineFilter = ({ queue, handler }) => serves(queue) && !this.#missing.lacks(executor, handler);
    const waiting = this.#backlog.count(canExecute);
    const takers = Math.max(1, this.#options.takers());
    const shareOf = (tier: Tier): number => Math.min(counts[tier], Math.ceil(waiting[tier] / takers));
    const [open, left] = [{ thread: shareOf("thread"), process: shareOf("process") }, { ...waiting }];
    const attempts: LentHere[] = [];
    for (let chars = 0; attempts.length < LIMITS.attemptsPerTake && chars < LIMITS.takenChars; ) {
      const pending = this.#backlog.next((line) => open[line.tier] > 0 && canExecute(line));
      if (pending === undefined) break;
      this.#endWait(pending);
      this.#loans.lend(pending, executor, grant);
      const { attempt, tier } = pending;
      attempts.push({ attempt: asItIs(pending), tier });
      open[tier] -= 1;
      left[tier] -= 1;
      chars += charsOf(attempt);
    }
    if (attempts.length > 0) this.#options.events.emit("tasks.lent", { count: attempts.length });
    return { attempts, left };
  }

  /** The input of an attempt that an executor has; undefined if it has not. */
  inputOf(executor: BootId, id: string): string | undefined {
    const pending = this.#pending.get(id);
    return pending?.loan?.executor === executor ? pending.attempt.input : undefined;
  }

  /** An executor has these and no others, of all that it took before; answers which of them nobody wants. */
  renew(executor: BootId, held: readonly LoanName[]): readonly LoanName[] {
    const ids = new Set(held.map(({ id }) => id));
    this.#takeBack(
      this.#loans.of(executor).filter(({ attempt }) => !ids.has(attempt.id)),
      "unheld",
    );
    return held.filter(({ id, grant }) => {
      const pending = this.#pending.get(id);
      if (pending === undefined || pending.isCancelled || !pending.borrowers.includes(executor)) return true;
      if (pending.loan !== undefined && pending.loan.executor !== executor) return true;
      // It was silent for too long, and has it still: it may go on, for nobody else has begun.
      this.#endWait(pending);
      this.#loans.lend(pending, executor, grant);
      return false;
    });
  }

  /** An executor did not execute these to their end. `lacksHandlers`: it can't. */
  giveBack(executor: BootId, loans: readonly LoanName[], lacksHandlers: boolean): void {
    const given = loans.flatMap(({ id, grant }) => {
      const pending = this.#pending.get(id);
      return pending?.loan?.executor === executor && pending.loan.grant === grant ? [pending] : [];
    });
    if (lacksHandlers) for (const { attempt } of given) this.#missing.note(executor, attempt.handler);
    this.#takeBack(given, "givenBack");
    if (lacksHandlers) this.refuseHopeless();
  }

  /**
   * An attempt has ended, whoever of those executed it to whom it was lent: the first result counts. If another executor has it now, that one is stopped first, for
   * what the attempt holds of its concurrency key is free when nobody executes it. What was stopped before its end without being asked to goes on elsewhere.
   */
  end(executor: BootId, id: string, outcome: AttemptOutcome): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || !pending.borrowers.includes(executor)) return;
    const { loan } = pending;
    if (outcome.kind === "cancelled") {
      if (loan?.executor === executor) this.#takeBack([pending], "givenBack");
      return;
    }
    pending.result ??= outcome;
    if (loan === undefined || loan.executor === executor) this.#settleIfHere(pending, pending.result);
    else this.cancel(id);
  }

  /** An executor has ended. If it was lost, what it had may be to blame for that. */
  forgetExecutor(executor: BootId, { isLoss }: { readonly isLoss: boolean }): void {
    this.#missing.forget(executor);
    const had = this.#loans.of(executor);
    if (isLoss) for (const pending of had) pending.losses += 1;
    const crashed = had.filter(({ losses, isCancelled }) => losses >= LIMITS.executorLossesPerTask && !isCancelled);
    for (const pending of crashed) {
      this.#settleIfHere(pending, failed("crashed", `The node that executed it was lost, ${pending.losses} times.`));
    }
    this.#takeBack(this.#loans.of(executor), "lost");
  }

  /** Ends loans whose time is over. Called about once a second. */
  expire(): void {
    this.#takeBack(this.#loans.expired(), "expired");
  }

  /** Fails what no node has had a handler for during some time. Called about once a second. */
  refuseHopeless(): void {
    const nowMs = this.#options.clock.monotonic();
    for (const line of [...this.#backlog.lines()]) {
      const { queue, handler } = line;
      const lacks = (executor: BootId): boolean => this.#missing.lacks(executor, handler);
      const isHopeless = this.#options.isExecutable(queue, lacks, handler) === false;
      line.hopelessSinceMs = isHopeless ? (line.hopelessSinceMs ?? nowMs) : undefined;
      if (line.hopelessSinceMs === undefined || nowMs - line.hopelessSinceMs < HOPE_MS) continue;
      for (const pending of [...line.all()]) {
        this.#forget(pending);
        this.#options.refuse(pending.attempt, pending.settle);
      }
    }
  }

  /** Settles everything as cancelled, and tells the executors. */
  close(): void {
    for (const pending of [...this.#pending.values()]) {
      const { loan, attempt } = pending;
      if (loan !== undefined) this.#options.hintCancelled(loan.executor, { id: attempt.id, grant: loan.grant });
      this.#settleIfHere(pending, { kind: "cancelled" });
    }
  }

  #requireRoom(queue: string): void {
    const [queued, mine, queues] = [this.#backlog.size, this.#backlog.sizeOf(queue), this.#backlog.queueCount];
    const share = this.#options.queueLength / (mine > 0 ? queues : queues + 1);
    // One that nobody serves fills up, and must not close the others.
    if (queued < this.#options.queueLength || mine < share) return;
    throw new MaestroError("TASK_QUEUE_FULL", { facts: { queued }, retryAfterMs: RETRY_AFTER_MS });
  }

  #wait(pending: PendingAttempt): void {
    const { clock, handlers, onWaiting } = this.#options;
    pending.waitingSinceMs = clock.monotonic();
    pending.tier = tierOf(asItIs(pending), handlers);
    const isFirst = this.#backlog.add(pending);
    const { handler } = pending.attempt;
    const boundMs = handlers.get(handler)?.options.scheduleToStartMs;
    if (boundMs !== undefined) {
      const message = `${handler} exceeded its scheduleToStart bound of ${boundMs} ms.`;
      const late = failed("timedOut", message, { timeout: "scheduleToStart" });
      pending.stopWatch = clock.schedule(Math.max(0, boundMs - pending.waitedMs), () => this.#settleIfHere(pending, late));
    }
    onWaiting(isFirst);
  }

  /** Has lent attempts wait again; those that nobody wants end. `unheld`: their executor says that it does not have them. */
  #takeBack(lent: readonly PendingAttempt[], reason: "expired" | "lost" | "givenBack" | "unheld"): void {
    if (lent.length === 0) return;
    this.#options.events.emit("tasks.takenBack", { count: lent.length, reason });
    for (const pending of lent) {
      if (pending.isCancelled) this.#settleIfHere(pending, pending.result ?? { kind: "cancelled" });
      else {
        this.#loans.end(pending);
        this.#wait(pending);
      }
    }
  }

  #settleIfHere(pending: PendingAttempt, outcome: AttemptOutcome): void {
    if (this.#pending.get(pending.attempt.id) !== pending) return;
    this.#forget(pending);
    pending.settle(outcome);
  }

  #endWait(pending: PendingAttempt): void {
    pending.stopWatch?.();
    if (this.#backlog.remove(pending)) pending.waitedMs += this.#options.clock.monotonic() - pending.waitingSinceMs;
  }

  #forget(pending: PendingAttempt): void {
    this.#pending.delete(pending.attempt.id);
    this.#endWait(pending);
    this.#loans.end(pending);
  }
}

function charsOf({ input, id, idempotencyKey, task }: Attempt): number {
  return (input.length > LIMITS.lentInputChars ? 0 : input.length) + id.length + idempotencyKey.length + task.length;
}
