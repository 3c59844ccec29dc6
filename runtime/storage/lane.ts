/**
 * One writer lane: a bounded queue of writes and a loop that commits them, batch after batch. Idle, a write goes out in the same tick;
 * busy, the next batch grows until the previous COMMIT returns. There is no timer on this path. Owns the order of writes (the order of the
 * calls), and that each write is settled exactly once, by what the store says.
 *
 * Its states: open -> fenced (for ever: every write is refused) and open -> closed (the node stops).
 */
import type { Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { type Shard, shardOf } from "../ids.ts";
import { LimitEdge, LimitWatch } from "../limit-watch.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import { type Batch, batchLength, bytesOf, formBatch } from "./batch.ts";
import type { BatchStore, Collision, Outcome } from "./batch-store.ts";
import type { HeldShards } from "./held-shards.ts";
import type { JournalPressure, RunWrite } from "./journal.ts";
import { pause } from "./pause.ts";
import { RefusedRuns } from "./refused-runs.ts";

/** What a lane may hold. */
export interface LaneBounds {
  /** Writes that wait, beyond which only essential ones are taken. */
  readonly queueWrites: number;
  /** Bytes that wait, beyond which only essential writes are taken. */
  readonly queueBytes: number;
  /** Runs with a refused write that are remembered; above it the store checks batches for a while. */
  readonly refusedRuns: number;
}

/** The bounds of the product. */
const LANE_BOUNDS: LaneBounds = { queueWrites: LIMITS.laneQueueWrites, queueBytes: LIMITS.laneQueueBytes, refusedRuns: LIMITS.laneRefusedRuns };

/** What a lane is made from. */
export interface LaneOptions {
  readonly lane: number;
  readonly store: BatchStore;
  readonly held: Pick<HeldShards, "epochOf">;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Calls back after the current tick, when everything that belongs to it was queued. */
  readonly defer: (callback: () => void) => void;
  /** Default: those of {@link LIMITS}. Only tests pass others. */
  readonly bounds?: LaneBounds | undefined;
}

/** A write that waits for its outcome. */
interface Pending {
  readonly write: RunWrite;
  readonly ticket: number;
  readonly resolve: () => void;
  readonly reject: (error: MaestroError) => void;
}

type Refusal = Extract<Outcome, { kind: "refused" }>;

const BATCH_BOUNDS = { writes: LIMITS.batchWrites, bytes: LIMITS.batchBytes };
/** First and longest delay before a batch of unknown outcome is looked up, in milliseconds; half of it is chance. */
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1_000;
/** When to try again after a refusal for overload, in milliseconds. */
const OVERLOAD_RETRY_MS = 1_000;

/** The lane. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #bounds: LaneBounds;
  readonly #refused: RefusedRuns;
  readonly #writesEdge: LimitEdge;
  readonly #bytesEdge: LimitEdge;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #nextTicket = 0;
  #isRunning = false;
  #isFenced = false;
  #flushes: { readonly ticket: number; readonly resolve: () => void }[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? LANE_BOUNDS;
    this.#refused = new RefusedRuns(this.#bounds.refusedRuns, options.held);
    const limits = new LimitWatch(options.clock, options.events);
    const subject = `journal lane ${options.lane}`;
    this.#writesEdge = new LimitEdge(limits, "laneQueueWrites", subject, this.#bounds.queueWrites);
    this.#bytesEdge = new LimitEdge(limits, "laneQueueBytes", subject, this.#bounds.queueBytes);
  }

  /** Queues a write. Settles as {@link Journal.append} says. */
  append(write: RunWrite): Promise<void> {
    if (this.#isFenced) return Promise.reject(this.#fenced());
    const refusal = this.#refused.judgeNew(write) ?? this.#judgeLoad(write);
    if (refusal !== undefined) return this.refuse(write, refusal);
    this.#refused.noteQueued(write);
    this.#queuedBytes += bytesOf(write);
    return new Promise((resolve, reject) => {
      this.#queue.push({ write, ticket: this.#nextTicket++, resolve, reject });
      this.#writesEdge.note(this.#queue.length);
      this.#bytesEdge.note(this.#queuedBytes);
      this.#start();
    });
  }

  /** Refuses a write in the lane's name: what comes behind it is refused as well. */
  refuse(write: RunWrite, error: MaestroError): Promise<never> {
    this.#refused.noteRefused(write, error, this.#options.clock.monotonic());
    return Promise.reject(error);
  }

  /** Something that a write of this lane needs has failed and is tried again. */
  noteRetry(attempt: number, reason: string): void {
    this.#options.events.emit("journal.retried", { lane: this.#options.lane, attempt, reason });
  }

  /** See {@link Journal.pressure}. */
  pressure(): JournalPressure {
    const { queueWrites, queueBytes } = this.#bounds;
    const [queuedWrites, queuedBytes] = [this.#queue.length, this.#queuedBytes];
    return { queuedWrites, queuedBytes, isFull: queuedWrites >= queueWrites || queuedBytes >= queueBytes };
  }

  /** Resolves when every write queued so far is settled. */
  flush(): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push({ ticket: this.#nextTicket, resolve }));
  }

  /** Flushes, then gives the store's connection up. */
  async close(): Promise<void> {
    await this.flush();
    await this.#options.store.close();
  }

  #judgeLoad(write: RunWrite): MaestroError | undefined {
    const queued = this.#queue.length;
    const isTooMuch = queued >= this.#bounds.queueWrites || (queued > 0 && this.#queuedBytes + bytesOf(write) > this.#bounds.queueBytes);
    if (!isTooMuch || write.essential === true) return undefined;
    return overloaded(queued);
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#options.defer(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, batchLength(this.#queue, BATCH_BOUNDS));
      for (const { write } of batch) this.#queuedBytes -= bytesOf(write);
      this.#options.events.emit("journal.begun", { lane: this.#options.lane });
      await this.#commit(batch);
      this.#options.events.emit("journal.settled", { lane: this.#options.lane });
      this.#tellSettled();
    }
    this.#isRunning = false;
  }

  /** Commits writes as one batch; if the store refuses it, finds the writes to blame. Settles every one of them. */
  async #commit(pending: readonly Pending[]): Promise<void> {
    const live = pending.filter((one) => !this.#failIfLost(one));
    if (live.length === 0) return;
    if (this.#isFenced) return this.#failAll(live, this.#fenced());
    const startedMs = this.#options.clock.monotonic();
    const writes = live.map(({ write }) => write);
    const batch = formBatch(writes, this.#refused.mustCheck(startedMs));
    const outcome = await this.#settle(batch);
    if (outcome.kind === "committed") {
      this.#emitCommitted(live, batch, startedMs);
      for (const { resolve } of live) resolve();
    } else if (outcome.kind === "fenced") {
      this.#fence(live);
    } else {
      await this.#sift(live, batch, outcome);
    }
  }

  /** Sends a batch until its outcome is known. It is sent again only after the store was seen not to hold it. */
  async #settle(batch: Batch): Promise<Exclude<Outcome, { kind: "unknown" }>> {
    const { store } = this.#options;
    let outcome = await store.commit(batch);
    for (let attempt = 1; outcome.kind === "unknown"; attempt++) {
      await this.#backOff(attempt, outcome.reason);
      try {
        outcome = (await store.holds(batch)) ? { kind: "committed" } : await store.commit(batch);
      } catch (error) {
        outcome = { kind: "unknown", reason: messageOf(error) };
      }
    }
    return outcome;
  }

  /** A batch was refused for what is in it: fails the writes to blame and commits the others. */
  async #sift(pending: readonly Pending[], batch: Batch, refusal: Refusal): Promise<void> {
    const collision: Collision = refusal.isDuplicate ? await this.#findCollision(batch) : { kind: "other" };
    if (collision.kind === "committed") {
      for (const { resolve } of pending) resolve();
      return;
    }
    if (collision.kind === "keysTaken") {
      for (const { write } of pending) {
        const owner = collision.owners.get(write.runId);
        if (owner !== undefined) this.#failRun(write, new MaestroError("IDEMPOTENCY_KEY_REUSED", { facts: { runId: owner } }));
      }
      return this.#commit(pending);
    }
    const [first] = pending;
    if (pending.length === 1 && first !== undefined) {
      const { runId, create } = first.write;
      const isThere = create !== undefined && refusal.isDuplicate;
      const reject = (): MaestroError => new MaestroError("JOURNAL_REJECTED", { facts: { runId, reason: refusal.reason } });
      this.#failRun(first.write, isThere ? new MaestroError("RUN_EXISTS", { facts: { runId } }) : reject());
      return this.#commit(pending);
    }
    const middle = pending.length >> 1;
    await this.#commit(pending.slice(0, middle));
    await this.#commit(pending.slice(middle));
  }

  async #findCollision(batch: Batch): Promise<Collision> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.store.findCollision(batch);
      } catch (error) {
        await this.#backOff(attempt, messageOf(error));
      }
    }
  }

  async #backOff(attempt: number, reason: string): Promise<void> {
    const { clock, random } = this.#options;
    this.noteRetry(attempt, reason);
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 16), RETRY_MAX_MS);
    await pause(delayMs * (0.5 + random.fraction() / 2), clock);
  }

  #emitCommitted(live: readonly Pending[], batch: Batch, startedMs: number): void {
    const { lane, clock, events } = this.#options;
    if (!events.has("journal.committed")) return;
    const entries = batch.rows.reduce((sum, row) => sum + row.entryCount, 0);
    const bytes = live.reduce((sum, { write }) => sum + write.entries.length, 0);
    events.emit("journal.committed", { lane, writes: live.length, entries, bytes, durationMs: clock.monotonic() - startedMs });
  }

  #fence(live: readonly Pending[]): void {
    if (!this.#isFenced) this.#options.events.emit("journal.fenced", { lane: this.#options.lane });
    this.#isFenced = true;
    this.#failAll([...live, ...this.#queue], this.#fenced());
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #fenced(): MaestroError {
    return new MaestroError("JOURNAL_FENCED", { facts: { detail: `lane ${this.#options.lane} was fenced` } });
  }

  #failAll(pending: readonly Pending[], error: MaestroError): void {
    for (const { reject } of pending) reject(error);
  }

  /** What the run has queued behind the write by now has lost its ground, and fails when its turn comes. */
  #failRun({ runId }: RunWrite, error: MaestroError): void {
    this.#refused.noteFailed(runId, error, this.#nextTicket);
  }

  /** The last look before a write goes out: its run has failed, or its shard was given back although writes of it were waiting. */
  #failIfLost({ write, ticket, reject }: Pending): boolean {
    const shard = shardOf(write.runId);
    if (this.#options.held.epochOf(shard) === 0) {
      reject(shardMoved(shard));
      return true;
    }
    const error = this.#refused.judgeQueued(write, ticket);
    if (error === undefined) return false;
    this.#refused.noteRefused(write, error, this.#options.clock.monotonic());
    reject(error);
    return true;
  }

  /** Everything before the front of the queue is settled: resolves the flushes that waited for it, and forgets what it ended. */
  #tellSettled(): void {
    const front = this.#queue[0]?.ticket ?? this.#nextTicket;
    this.#refused.forget(front, this.#options.clock.monotonic());
    for (const { ticket, resolve } of this.#flushes) if (ticket <= front) resolve();
    this.#flushes = this.#flushes.filter(({ ticket }) => ticket > front);
  }
}

/** The refusal of a write of a shard that this boot does not hold. */
export function shardMoved(shard: Shard): MaestroError {
  return new MaestroError("SHARD_MOVED", { facts: { shard } });
}

/** The refusal of a write for overload. `queued`: writes that wait. */
export function overloaded(queued: number): MaestroError {
  return new MaestroError("JOURNAL_OVERLOADED", { facts: { queued }, retryAfterMs: OVERLOAD_RETRY_MS });
}
