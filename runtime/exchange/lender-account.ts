/**
 * What an executor has of one lender, and its calls to it. Takes, renewals and giving back go one after the other, each with the next number, so that the lender
 * knows what is out of date; results go beside them and are sent until they are noted. A lender that does not answer is asked again, with growing pauses, until
 * it is forgotten.
 */
import type { LentAttempt } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { AttemptOutcome } from "../workers/pool.ts";
import { TurnBatch } from "../workers/turn-batch.ts";
import type { LoanName } from "./lender.ts";
import type { TaskCalls } from "./task-calls.ts";
import { charsOf, resultMessage } from "./task-messages.ts";

/** How often what is held is renewed: a loan outlives two renewals that are lost. */
const RENEW_EVERY_MS = LIMITS.taskLoanMs / 3;
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

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
  /** Queues that this node serves; none: all. */
  readonly serves: readonly string[];
  /** Executes an attempt, on a slot that is taken for it. */
  begin(borrowed: Borrowed): void;
  /** Stops an execution whose result nobody wants. */
  stop(borrowed: Borrowed): void;
  /** Gives slots back that were taken for attempts which did not come. */
  release(slots: number): void;
  /** Called when the lender can be asked again. */
  onIdle(): void;
  /** A call failed in a way that is none of the network's. */
  onTrouble(error: unknown): void;
}

/** The account of one lender. */
export class LenderAccount {
  readonly #options: LenderAccountOptions;
  readonly #held = new Map<string, Borrowed>();
  readonly #unsent = new Set<Borrowed>();
  readonly #givenBack = { unknown: new Map<string, LoanName>(), ended: new Map<string, LoanName>() };
  readonly #resultsOfTurn = new TurnBatch<void>(() => void this.#deliver());
  /** Attempts that the lender said wait with it. */
  waiting = 0;
  #sequence = 0;
  #claimed = 0;
  #renewAtMs: number;
  /** The lender may believe that something is here that is not. */
  #isUnsure = false;
  #isBusy = false;
  #isDelivering = false;
  #failures = 0;
  #cancelPause: CancelTimer | undefined;
  #isClosed = false;

  constructor(options: LenderAccountOptions) {
    this.#options = options;
    this.#renewAtMs = options.clock.monotonic() + RENEW_EVERY_MS;
  }

  /** Whose account it is. */
  get lender(): BootId {
    return this.#options.lender;
  }

  /** What is here, with what has ended and is not noted. */
  get held(): Iterable<Borrowed> {
    return this.#held.values();
  }

  /** True if attempts may be taken now. */
  get isAskable(): boolean {
    return !this.#isClosed && !this.#isBusy && this.#claimed === 0 && this.#cancelPause === undefined && this.waiting > 0;
  }

  /** Results that are not noted. */
  get unsentCount(): number {
    return this.#unsent.size;
  }

  /** True if the lender knows all that there is to say. */
  get isQuiet(): boolean {
    return this.#unsent.size + this.#givenBack.unknown.size + this.#givenBack.ended.size === 0;
  }

  /** Asks for attempts; as many slots are taken for them. */
  take(slots: number): void {
    this.#claimed = slots;
    this.#work();
  }

  /** An attempt has ended. */
  end(borrowed: Borrowed, outcome: AttemptOutcome): void {
    if (this.#held.get(borrowed.id) !== borrowed) return;
    borrowed.outcome = outcome;
    this.#unsent.add(borrowed);
    this.#resultsOfTurn.add();
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
      const borrowed = this.#held.get(id);
      if (borrowed === undefined || borrowed.grant !== grant || borrowed.outcome !== undefined || borrowed.isCancelled) continue;
      this.#options.stop(borrowed);
    }
  }

  /** Renews what is due. Called about once a second. */
  tick(): void {
    this.#work();
  }

  /** The lender is no more: forgets all that it lent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelPause?.();
    this.#release();
    this.#unsent.clear();
    for (const borrowed of [...this.#held.values()]) this.#drop(borrowed);
  }

  /** Makes the next call, unless one is under way. */
  #work(): void {
    if (this.#isBusy || this.#isClosed || this.#cancelPause !== undefined) return;
    const call = this.#next();
    if (call === undefined) return;
    this.#isBusy = true;
    call()
      .catch((error: unknown) => {
        this.#options.onTrouble(error);
        return false;
      })
      .then((isAnswered) => {
        this.#isBusy = false;
        if (!isAnswered) this.#pause();
        else this.#failures = 0;
        this.#work();
        if (!this.#isBusy) this.#options.onIdle();
      })
      .catch(this.#options.onTrouble);
  }

  /** What is to be said first. Answers whether the lender answered. */
  #next(): (() => Promise<boolean>) | undefined {
    const { unknown, ended } = this.#givenBack;
    if (unknown.size > 0) return () => this.#giveBack(unknown, true);
    if (ended.size > 0) return () => this.#giveBack(ended, false);
    const isDue = this.#held.size > 0 && this.#options.clock.monotonic() >= this.#renewAtMs;
    if (this.#isUnsure || isDue) return () => this.#renew();
    return this.#claimed > 0 ? () => this.#take() : undefined;
  }

  async #take(): Promise<boolean> {
    const { calls, lender, serves, begin } = this.#options;
    const grant = ++this.#sequence;
    const answer = await calls.ask(lender, grant, { $case: "take", value: { queues: [...serves], count: this.#claimed } });
    if (this.#isClosed) return true;
    if (answer?.$case !== "taken") {
      this.#isUnsure = true;
      this.waiting = 0;
      this.#release();
      return answer !== undefined;
    }
    this.waiting = answer.value.left;
    for (const message of answer.value.attempts) {
      const known = this.#held.get(message.id);
      if (known !== undefined) known.grant = grant;
      else if (this.#claimed > 0) {
        this.#claimed -= 1;
        const borrowed = this.#receive(message, grant);
        begin(borrowed);
      }
    }
    this.#release();
    return true;
  }

  #receive(message: LentAttempt, grant: number): Borrowed {
    const { id } = message;
    const poolId = `${id}@${this.lender}#${grant}`;
    const borrowed: Borrowed = { account: this, message, id, grant, poolId, isCancelled: false, outcome: undefined };
    if (this.#held.size === 0) this.#renewAtMs = this.#options.clock.monotonic() + RENEW_EVERY_MS;
    this.#held.set(id, borrowed);
    return borrowed;
  }

  async #renew(): Promise<boolean> {
    const { calls, lender, clock } = this.#options;
    const held = [...this.#held.values()].map(({ id, grant }) => ({ id, grant }));
    const answer = await calls.ask(lender, ++this.#sequence, { $case: "renew", value: { held } });
    if (answer?.$case === "renewed") {
      this.#isUnsure = false;
      this.#renewAtMs = clock.monotonic() + RENEW_EVERY_MS;
      for (const { id, grant } of answer.value.unwanted) {
        const borrowed = this.#held.get(id);
        if (borrowed?.grant === grant) this.#drop(borrowed);
      }
    }
    return answer !== undefined;
  }

  async #giveBack(given: Map<string, LoanName>, unknown: boolean): Promise<boolean> {
    const loans = [...given.values()].slice(0, LIMITS.attemptsPerTake);
    const answer = await this.#options.calls.ask(this.lender, ++this.#sequence, { $case: "giveBack", value: { loans: [...loans], unknown } });
    if (answer?.$case === "noted") for (const loan of loans) if (given.get(loan.id) === loan) given.delete(loan.id);
    return answer !== undefined;
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let failures = 0; this.#unsent.size > 0 && !this.#isClosed; ) {
        const lot = this.#lotOfResults();
        const results = lot.map(({ id, outcome }) => resultMessage(id, outcome ?? { kind: "cancelled" }));
        const answer = await this.#options.calls.ask(this.lender, 0, { $case: "results", value: { results } });
        failures = answer?.$case === "noted" ? 0 : failures + 1;
        if (failures > 0) await new Promise<void>((resolve) => this.#options.clock.schedule(pauseAfter(failures), resolve));
        else for (const borrowed of lot) this.#noted(borrowed);
      }
    } catch (error) {
      this.#options.onTrouble(error);
    } finally {
      this.#isDelivering = false;
    }
  }

  #lotOfResults(): readonly Borrowed[] {
    const lot: Borrowed[] = [];
    let chars = 0;
    for (const borrowed of this.#unsent) {
      chars += charsOf(borrowed.outcome ?? { kind: "cancelled" });
      if (lot.length > 0 && (lot.length >= LIMITS.resultsPerCall || chars > LIMITS.resultCallChars)) break;
      lot.push(borrowed);
    }
    return lot;
  }

  #noted(borrowed: Borrowed): void {
    this.#unsent.delete(borrowed);
    if (this.#held.get(borrowed.id) === borrowed) this.#held.delete(borrowed.id);
  }

  /** Forgets an attempt, and stops it if it is under way. */
  #drop(borrowed: Borrowed): void {
    this.#noted(borrowed);
    if (borrowed.outcome === undefined) this.#options.stop(borrowed);
  }

  #release(): void {
    const slots = this.#claimed;
    this.#claimed = 0;
    if (slots > 0) this.#options.release(slots);
  }

  #pause(): void {
    this.#failures += 1;
    this.#cancelPause = this.#options.clock.schedule(pauseAfter(this.#failures), () => {
      this.#cancelPause = undefined;
      this.#work();
      this.#options.onIdle();
    });
  }
}

function pauseAfter(failures: number): number {
  return Math.min(PAUSE_MIN_MS * 2 ** Math.min(failures - 1, 16), PAUSE_MAX_MS);
}
