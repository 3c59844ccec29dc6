/**
 * What an executor has of one lender, and its calls to it. Takes, renewals and giving back go one after the other, each with the next number, so that
 * the lender knows what is out of date; results go beside them and are sent until they are noted. A lender that does not answer is asked again, with
 * growing pauses, until it is forgotten.
 */
import type { LentAttempt } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import type { AttemptOutcome, Tier } from "../workers/pool.ts";
import { DEFAULT_PRIORITY, turnOf } from "../workers/scheduling.ts";
import type { LoanName } from "./loans.ts";
import { ResultDelivery } from "./result-delivery.ts";
import type { ByTier } from "./slots.ts";
import { pauseAfter, type TaskCalls } from "./task-calls.ts";

/** How often what is held is renewed: a loan outlives two renewals that are lost. */
const RENEW_EVERY_MS = LIMITS.taskLoanMs / 3;

/** By how much longer something must have waited elsewhere to go before what waits here, in milliseconds: nodes with the same to do do not exchange it. */
const LEAD_MS = 100;

const NONE: ByTier = { thread: 0, process: 0 };

/** An attempt of another node. */
export interface Borrowed extends LoanName {
  readonly account: LenderAccount;
  readonly message: LentAttempt;
  /** Later calls may take what is held already. */
  grant: number;
  /** Its name in this node's worker pool, where attempts of the node's own runs are as well. */
  readonly poolId: string;
  /** Nobody wants its result. */
  isCancelled: boolean;
  outcome: AttemptOutcome | undefined;
}

/** What an account needs. */
export interface LenderAccountOptions {
  readonly lender: BootId;
  readonly calls: Pick<TaskCalls, "ask">;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Queues that this node serves; none: all. */
  readonly serves: readonly string[];
  /** Executes an attempt, or gives it back. */
  begin(borrowed: Borrowed): void;
  /** Stops an execution whose result nobody wants. */
  stop(borrowed: Borrowed): void;
  /** Called when the lender can be asked again. */
  onIdle(): void;
  /** A call failed in a way that is none of the network's. */
  onTrouble(error: unknown): void;
}

/** The account of one lender. */
export class LenderAccount {
  readonly #options: LenderAccountOptions;
  readonly #held = new Map<string, Borrowed>();
  readonly #results: ResultDelivery;
  readonly #givenBack = { unknown: new Map<string, LoanName>(), ended: new Map<string, LoanName>() };
  #waiting: ByTier = NONE;
  /** How long the oldest of them had waited when the lender offered them last. */
  #oldestWaitMs = 0;
  /** The number under which the lender said so. */
  #asOf = 0;
  #sequence = 0;
  /** Number of the take that is under way. */
  #taking: number | undefined;
  /** Attempts that nobody wants of those which that take brings: it was said before they came. */
  readonly #unwanted = new Set<string>();
  #renewAtMs: number;
  /** The lender may believe that something is here that is not. */
  #isUnsure = false;
  #isBusy = false;
  #failures = 0;
  #cancelPause: CancelTimer | undefined;
  #isClosed = false;

  constructor(options: LenderAccountOptions) {
    this.#options = options;
    const onNoted = (noted: readonly Borrowed[]): void => {
      for (const borrowed of noted) if (this.#held.get(borrowed.id) === borrowed) this.#held.delete(borrowed.id);
      // As long as many results were not noted, nothing was taken.
      options.onIdle();
    };
    this.#results = new ResultDelivery({ ...options, onNoted });
    this.#renewAtMs = options.clock.monotonic() + RENEW_EVERY_MS;
  }

  /** Whose account it is. */
  get lender(): BootId {
    return this.#options.lender;
  }

  /** Attempts that the lender said wait with it. */
  get waiting(): ByTier {
    return this.#waiting;
  }

  /**
   * The lender says what waits with it. `asOf` tells what it said later, which may be read earlier: an offer that comes on the heels of the answer to
   * a take. 0: of a version that does not tell.
   */
  hear(waiting: ByTier, asOf: number): void {
    if (asOf > 0 && asOf <= this.#asOf) return;
    this.#waiting = waiting;
    this.#asOf = asOf;
  }

  /** As {@link hear}, with how long the oldest of them has waited, which the answer to a take does not say. */
  hearOffer(waiting: ByTier, asOf: number, oldestWaitMs: number): void {
    if (asOf > 0 && asOf <= this.#asOf) return;
    this.hear(waiting, asOf);
    this.#oldestWaitMs = oldestWaitMs;
  }

  /**
   * True if what waits there goes before an attempt of the node's own runs with this turn: it waits for clearly longer, and the lender can be asked
   * for it. How long is known as of the last offer, at most a second ago; lines that move stay as old as they are. Which priority it has nobody says;
   * it counts as having the usual one.
   */
  isOlder(tier: Tier, turnMs: number): boolean {
    if (this.#waiting[tier] === 0 || this.#failures > 0) return false;
    return turnOf(DEFAULT_PRIORITY, this.#options.clock.monotonic() - this.#oldestWaitMs) + LEAD_MS < turnMs && this.isAskable;
  }

  /** True if attempts may be taken now: the lender has some, and nothing else is to be said to it first. */
  get isAskable(): boolean {
    return this.#waiting.thread + this.#waiting.process > 0 && this.#maySpeak && this.#next() === undefined;
  }

  /** How many may be asked for at a time. One that did not answer the last call may not answer this one either. */
  get atMost(): number {
    return this.#failures > 0 ? 1 : LIMITS.attemptsPerTake - this.#results.size;
  }

  /** True if the lender knows all that there is to say, and is asked nothing. */
  get isQuiet(): boolean {
    return !this.#isBusy && this.#results.size + this.#givenBack.unknown.size + this.#givenBack.ended.size === 0;
  }

  /** Asks for attempts, of an account that is askable. Resolves when what came has begun, or nothing came. */
  take(counts: ByTier): Promise<void> {
    return this.#call(() => this.#take(counts));
  }

  /** An attempt has ended. */
  end(borrowed: Borrowed, outcome: AttemptOutcome): void {
    if (this.#held.get(borrowed.id) !== borrowed) return;
    borrowed.outcome = outcome;
    this.#results.add(borrowed);
  }

  /** An attempt was not executed to its end, or can't be: there is no such handler. */
  giveBack(borrowed: Borrowed, isUnknown: boolean): void {
    if (this.#held.get(borrowed.id) !== borrowed) return;
    this.#held.delete(borrowed.id);
    const { id, grant } = borrowed;
    this.#givenBack[isUnknown ? "unknown" : "ended"].set(id, { id, grant });
    this.#work();
  }

  /** Nobody wants these any more, the lender says. Their end is told all the same. */
  cancel(loans: readonly LoanName[]): void {
    for (const { id, grant } of loans) {
      if (grant === this.#taking && this.#unwanted.size < LIMITS.attemptsPerTake) this.#unwanted.add(id);
      const borrowed = this.#held.get(id);
      if (borrowed === undefined || borrowed.grant !== grant || borrowed.outcome !== undefined || borrowed.isCancelled) continue;
      this.#options.stop(borrowed);
    }
  }

  /** Says what is due. Called about once a second, and before attempts are taken. */
  tick(): void {
    this.#work();
  }

  /** The lender is no more: forgets all that it lent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelPause?.();
    this.#results.close();
    for (const borrowed of this.#held.values()) if (borrowed.outcome === undefined) this.#options.stop(borrowed);
    this.#held.clear();
  }

  get #maySpeak(): boolean {
    return !this.#isBusy && !this.#isClosed && this.#cancelPause === undefined;
  }

  /** Makes the next call, unless one is under way. Taking is nobody's next call: slots are claimed for a take that is sent, and for nothing else. */
  #work(): void {
    const call = this.#maySpeak ? this.#next() : undefined;
    if (call !== undefined) void this.#call(call);
  }

  /** Makes a call that answers whether the lender answered. Never rejects. */
  async #call(call: () => Promise<boolean>): Promise<void> {
    this.#isBusy = true;
    let isAnswered = false;
    try {
      isAnswered = await call();
    } catch (error) {
      this.#options.onTrouble(error);
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    if (isAnswered) this.#failures = 0;
    else this.#pause();
    this.#work();
    if (!this.#isBusy) this.#options.onIdle();
  }

  /** What is to be said before anything is taken. */
  #next(): (() => Promise<boolean>) | undefined {
    const { unknown, ended } = this.#givenBack;
    if (unknown.size > 0) return () => this.#giveBack(unknown, true);
    if (ended.size > 0) return () => this.#giveBack(ended, false);
    const isDue = this.#held.size > 0 && this.#options.clock.monotonic() >= this.#renewAtMs;
    return this.#isUnsure || isDue ? () => this.#renew() : undefined;
  }

  async #take({ thread: count, process: processCount }: ByTier): Promise<boolean> {
    const { calls, lender, serves } = this.#options;
    const grant = ++this.#sequence;
    this.#taking = grant;
    // Until it is known what has come of it.
    this.#isUnsure = true;
    this.#waiting = NONE;
    try {
      const answer = await calls.ask(lender, grant, { $case: "take", value: { queues: [...serves], count, processCount } });
      if (this.#isClosed || answer?.$case !== "taken") return answer !== undefined;
      this.#isUnsure = false;
      const { attempts, left, processLeft, asOf } = answer.value;
      this.hear({ thread: left, process: processLeft }, asOf);
      for (const message of attempts) this.#receive(message, grant);
      return true;
    } finally {
      this.#taking = undefined;
      this.#unwanted.clear();
    }
  }

  #receive(message: LentAttempt, grant: number): void {
    const { id } = message;
    const isCancelled = this.#unwanted.has(id);
    const known = this.#held.get(id);
    if (known !== undefined) {
      known.grant = grant;
      if (isCancelled) this.cancel([{ id, grant }]);
      return;
    }
    const poolId = `${id}@${this.lender}#${grant}`;
    const borrowed: Borrowed = { account: this, message, id, grant, poolId, isCancelled, outcome: undefined };
    if (this.#held.size === 0) this.#renewAtMs = this.#options.clock.monotonic() + RENEW_EVERY_MS;
    this.#held.set(id, borrowed);
    this.#options.begin(borrowed);
  }

  async #renew(): Promise<boolean> {
    const { calls, lender, clock } = this.#options;
    const held = [...this.#held.values()].map(({ id, grant }) => ({ id, grant }));
    const answer = await calls.ask(lender, ++this.#sequence, { $case: "renew", value: { held } });
    if (answer?.$case === "renewed") {
      this.#isUnsure = false;
      this.#renewAtMs = clock.monotonic() + RENEW_EVERY_MS;
      this.cancel(answer.value.unwanted);
    }
    return answer !== undefined;
  }

  async #giveBack(given: Map<string, LoanName>, unknown: boolean): Promise<boolean> {
    const loans = [...given.values()].slice(0, LIMITS.attemptsPerTake);
    const answer = await this.#options.calls.ask(this.lender, ++this.#sequence, { $case: "giveBack", value: { loans: [...loans], unknown } });
    if (answer?.$case === "noted") for (const loan of loans) if (given.get(loan.id) === loan) given.delete(loan.id);
    return answer !== undefined;
  }

  #pause(): void {
    this.#failures += 1;
    this.#cancelPause = this.#options.clock.schedule(pauseAfter(this.#failures, this.#options.random), () => {
      this.#cancelPause = undefined;
      this.#work();
      this.#options.onIdle();
    });
  }
}
