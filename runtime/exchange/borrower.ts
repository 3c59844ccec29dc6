/**
 * The part of an executor that executes attempts of other nodes: it asks those that have some waiting, for as many as it has slots, each lender in
 * its turn, and hands what it gets to the node's own worker pool.
 */
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Random } from "../random.ts";
import { pause } from "../storage/pause.ts";
import type { AttemptOutcome, Tier, WorkerPool } from "../workers/pool.ts";
import { DEFAULT_PRIORITY, turnOf } from "../workers/scheduling.ts";
import { PATIENCE } from "../workers/thread-pool-options.ts";
import { TurnBatch } from "../workers/turn-batch.ts";
import { type Borrowed, LenderAccount } from "./lender-account.ts";
import type { LoanName } from "./loans.ts";
import { type ByTier, type Slots, TIERS } from "./slots.ts";
import type { TaskCalls } from "./task-calls.ts";
import { attemptOf } from "./task-messages.ts";

/** How long a place is kept at most for attempts that were asked for, in milliseconds: many times what an answer takes. */
const KEEP_MS = 100;
/** How often it is looked whether what is waited for has happened, in milliseconds. */
const POLL_MS = 20;
/** How long executions that were told to stop may take before they are given back as they are, in milliseconds: the pool has ended them before that. */
const STOP_MS = PATIENCE.cancelGraceMs + PATIENCE.blockedMs + 500;
/** How long lenders may take to note the last results, in milliseconds. */
const FAREWELL_MS = 2_000;

/** What a borrower needs. */
export interface BorrowerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly events: EventHub;
  readonly pool: WorkerPool;
  readonly slots: Slots;
  readonly calls: Pick<TaskCalls, "ask">;
  /** Queues that this node serves; none: all. */
  readonly serves: readonly string[];
  /** True if this node has the handler and the right to execute it. */
  knows(handler: string): boolean;
  /** True while this node may take attempts: it is there to stay. */
  mayTake(): boolean;
  /** Called when slots have become free. */
  onFreed(): void;
}

/** The borrower of one node. */
export class Borrower {
  readonly #options: BorrowerOptions;
  readonly #accounts = new Map<BootId, LenderAccount>();
  readonly #running = new Set<Borrowed>();
  readonly #asking: TurnBatch<void>;
  #isOpen = true;
  #isLeaving = false;

  constructor(options: BorrowerOptions) {
    this.#options = options;
    this.#asking = new TurnBatch(() => this.#ask(), options.scheduler);
  }

  /** Attempts of other nodes that are executed here. */
  get activeCount(): number {
    return this.#running.size;
  }

  /**
   * Another node says how many attempts wait with it that this one can execute; `asOf`: see {@link LenderAccount.hear}; `oldestWaitMs`: how long the
   * oldest has.
   */
  hear(lender: BootId, waiting: ByTier, asOf: number, oldestWaitMs: number): void {
    const known = this.#accounts.get(lender);
    if (known === undefined && waiting.thread + waiting.process === 0) return;
    const account = known ?? this.#open(lender);
    account.hearOffer(waiting, asOf, oldestWaitMs);
    this.askSoon();
  }

  /** Asks for attempts after this turn, if slots are free. */
  askSoon(): void {
    if (this.#isOpen && this.#accounts.size > 0) this.#asking.schedule();
  }

  /**
   * Whether a place that an attempt of the node's own runs could have, with this turn, is asked for and kept instead for attempts of another node
   * that go before it: until the answer is there, or for {@link KEEP_MS}. Of each lender one place at a time; while it is asked, the others are the
   * node's own.
   */
  askOlder(tier: Tier, turnMs: number): boolean {
    if (this.#accounts.size === 0 || !this.#isOpen || this.#options.slots.free(tier) === 0) return false;
    for (const account of this.#accounts.values()) if (account.isOlder(tier, turnMs) && this.#options.mayTake()) return this.#take(account, 1, tier);
    return false;
  }

  /** A lender does not want these any more. */
  cancelled(lender: BootId, loans: readonly LoanName[]): void {
    this.#accounts.get(lender)?.cancel(loans);
  }

  /** Those of whom something is here or was heard. */
  get lenders(): Iterable<BootId> {
    return [...this.#accounts.keys()];
  }

  /** A lender is no more. */
  forget(lender: BootId): void {
    this.#accounts.get(lender)?.close();
    this.#accounts.delete(lender);
  }

  /** Renews what is due. Called about once a second. */
  tick(): void {
    for (const account of this.#accounts.values()) account.tick();
    this.askSoon();
  }

  /** Takes no more; resolves when all that was taken has ended within `graceMs`, or was given back, and the lenders have noted it. */
  async drain(graceMs: number, hurried: AbortSignal): Promise<void> {
    this.#isOpen = false;
    await this.#until(() => this.#running.size === 0 || hurried.aborted, graceMs);
    this.#isLeaving = true;
    for (const { poolId } of this.#running) this.#options.pool.cancel(poolId);
    await this.#until(() => this.#running.size === 0 || hurried.aborted, STOP_MS);
    for (const borrowed of this.#running) borrowed.account.giveBack(borrowed, false);
    await this.#until(() => [...this.#accounts.values()].every(({ isQuiet }) => isQuiet), FAREWELL_MS);
  }

  /** Ends: asks and tells nobody any more. */
  close(): void {
    this.#isOpen = false;
    for (const lender of this.lenders) this.forget(lender);
  }

  async #until(isSo: () => boolean, withinMs: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonic() + withinMs;
    while (!isSo() && clock.monotonic() < endMs) await pause(POLL_MS, clock);
  }

  #open(lender: BootId): LenderAccount {
    const { calls, clock, random, scheduler, serves, pool, events } = this.#options;
    const account = new LenderAccount({
      ...{ lender, calls, clock, random, scheduler, serves },
      begin: (borrowed) => this.#begin(borrowed),
      stop: (borrowed) => {
        borrowed.isCancelled = true;
        pool.cancel(borrowed.poolId);
      },
      onIdle: () => this.askSoon(),
      onTrouble: (error) => events.emit("tasks.callFailed", { bootId: lender, reason: messageOf(error) }),
    });
    this.#accounts.set(lender, account);
    return account;
  }

  /** Shares the free slots among the lenders that have something waiting; whoever was asked last comes last. */
  #ask(): void {
    const { slots, mayTake, clock } = this.#options;
    if (!this.#isOpen || TIERS.every((tier) => slots.free(tier) === 0) || !mayTake()) return;
    for (const account of this.#accounts.values()) account.tick();
    const asked = [...this.#accounts.values()].filter(({ isAskable }) => isAskable);
    for (const [place, account] of asked.entries()) {
      const nowMs = turnOf(DEFAULT_PRIORITY, clock.monotonic());
      this.#take(
        account,
        asked.length - place,
        TIERS.find((tier) => slots.free(tier) > 0 && account.isOlder(tier, nowMs)),
      );
    }
  }

  /** Takes the share of one of `among` from an account; false if that is nothing. `kept`: in which tier a place is kept for it. */
  #take(account: LenderAccount, among: number, kept: Tier | undefined): boolean {
    const { slots } = this.#options;
    const share = (tier: Tier): number => Math.min(account.waiting[tier], Math.ceil(slots.free(tier) / among));
    const thread = Math.min(share("thread"), account.atMost);
    const counts = { thread, process: Math.min(share("process"), account.atMost - thread) };
    if (counts.thread + counts.process <= 0) return false;
    this.#accounts.delete(account.lender);
    this.#accounts.set(account.lender, account);
    const release = kept === undefined ? undefined : this.#keep(kept);
    void slots.claim(counts, () => account.take(counts)).then(release);
    return true;
  }

  /** Keeps a place for a while; the returned function ends that before. */
  #keep(tier: Tier): () => void {
    const { slots, clock, onFreed } = this.#options;
    let unkeep: (() => void) | undefined = slots.keep(tier);
    const end = (): void => {
      if (unkeep === undefined) return;
      cancel();
      unkeep();
      unkeep = undefined;
      onFreed();
    };
    const cancel = clock.schedule(KEEP_MS, end);
    return end;
  }

  #begin(borrowed: Borrowed): void {
    const { message, account } = borrowed;
    if (borrowed.isCancelled) return account.end(borrowed, { kind: "cancelled" });
    // Attempts of the node's own runs have taken the slots meanwhile, or the node is about to end.
    if (!this.#isOpen || !this.#options.slots.hasPlace(tierOf(borrowed))) return account.giveBack(borrowed, false);
    this.#options.slots.take(tierOf(borrowed));
    this.#running.add(borrowed);
    if (!this.#options.knows(message.handler)) this.#leave(borrowed, true);
    else if (message.inputBytes === 0) this.#submit(borrowed, message.input);
    else {
      this.#fetch(account.lender, message.id, message.inputBytes).then(
        (input) => (input === undefined ? this.#leave(borrowed, false) : this.#submit(borrowed, input)),
        () => this.#leave(borrowed, false),
      );
    }
  }

  /** The input of an attempt, piece by piece; undefined if it can't be had. */
  async #fetch(lender: BootId, id: string, inputBytes: number): Promise<string | undefined> {
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < inputBytes; ) {
      const answer = await this.#options.calls.ask(lender, 0, { $case: "fetch", value: { id, offset } });
      if (answer?.$case !== "fetched" || answer.value.bytes.length === 0) return undefined;
      pieces.push(answer.value.bytes);
      offset += answer.value.bytes.length;
    }
    return Buffer.concat(pieces).toString();
  }

  #submit(borrowed: Borrowed, input: string): void {
    const { pool } = this.#options;
    if (borrowed.isCancelled) return this.#ended(borrowed, input, { kind: "cancelled" });
    const attempt = { ...attemptOf(borrowed.message, input), id: borrowed.poolId };
    try {
      pool.submit(attempt, (outcome) => this.#ended(borrowed, input, outcome));
    } catch {
      // The pool has no place for it, or is stopping. Another node may have one.
      this.#leave(borrowed, false);
    }
  }

  #ended(borrowed: Borrowed, input: string, outcome: AttemptOutcome): void {
    // It went down with a neighbour. The pool knows the suspects, so it is executed again here, and alone if need be.
    const isLost = outcome.kind === "failed" && outcome.error.kind === "lost";
    if (isLost && !this.#isLeaving) return this.#submit(borrowed, input);
    if (isLost || (outcome.kind === "cancelled" && !borrowed.isCancelled)) return this.#leave(borrowed, false);
    this.#free(borrowed);
    borrowed.account.end(borrowed, outcome);
  }

  #leave(borrowed: Borrowed, isUnknown: boolean): void {
    this.#free(borrowed);
    borrowed.account.giveBack(borrowed, isUnknown);
  }

  #free(borrowed: Borrowed): void {
    if (!this.#running.delete(borrowed)) return;
    this.#options.slots.release(tierOf(borrowed));
    this.#options.onFreed();
    this.askSoon();
  }
}

/** The tier in which an attempt was asked for. */
function tierOf({ message }: Borrowed): Tier {
  return message.forProcess ? "process" : "thread";
}
