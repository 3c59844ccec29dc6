/**
 * Which attempts of a node are lent, to whom, and until when. It decides nothing about what becomes of those that come back.
 */
import type { Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Attempt, Tier } from "../workers/pool.ts";
import type { PendingAttempt } from "./pending-attempt.ts";
import type { ByTier } from "./slots.ts";

/** A loan as an executor names it. */
export interface LoanName {
  readonly id: string;
  readonly grant: number;
}

/** An attempt that is given to an executor, and the tier in which it counts there. */
export interface LentHere {
  readonly attempt: Attempt;
  readonly tier: Tier;
}

/** What an executor is given. */
export interface Lent {
  readonly attempts: readonly LentHere[];
  /** What waits still that it can execute. */
  readonly left: ByTier;
}

/** The loans of one lender. */
export class Loans {
  readonly #clock: Clock;
  readonly #byExecutor = new Map<BootId, Map<string, PendingAttempt>>();
  readonly #byQueue = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How much is lent, by queue. */
  get byQueue(): ReadonlyMap<string, number> {
    return this.#byQueue;
  }

  /** Lends an attempt from now on, or goes on doing so. */
  lend(pending: PendingAttempt, executor: BootId, grant: number): void {
    this.end(pending);
    const lent = this.#byExecutor.get(executor) ?? new Map<string, PendingAttempt>();
    this.#byExecutor.set(executor, lent);
    lent.set(pending.attempt.id, pending);
    this.#count(pending.attempt.queue, 1);
    if (!pending.borrowers.includes(executor)) pending.borrowers = [...pending.borrowers, executor];
    pending.loan = { executor, grant, untilMs: this.#clock.monotonic() + LIMITS.taskLoanMs };
  }

  /** Ends a loan, if there is one. */
  end(pending: PendingAttempt): void {
    const { loan } = pending;
    if (loan === undefined) return;
    pending.loan = undefined;
    this.#count(pending.attempt.queue, -1);
    const lent = this.#byExecutor.get(loan.executor);
    lent?.delete(pending.attempt.id);
    if (lent?.size === 0) this.#byExecutor.delete(loan.executor);
  }

  #count(queue: string, change: number): void {
    const count = (this.#byQueue.get(queue) ?? 0) + change;
    if (count === 0) this.#byQueue.delete(queue);
    else this.#byQueue.set(queue, count);
  }

  /** What an executor has. */
  of(executor: BootId): readonly PendingAttempt[] {
    return [...(this.#byExecutor.get(executor)?.values() ?? [])];
  }

  /** What was not renewed in time. */
  expired(): readonly PendingAttempt[] {
    const nowMs = this.#clock.monotonic();
    return [...this.#byExecutor.keys()].flatMap((executor) => this.of(executor).filter(({ loan }) => loan !== undefined && loan.untilMs <= nowMs));
  }
}
