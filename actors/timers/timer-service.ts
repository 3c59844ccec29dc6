/**
 * Fires the durable timers of the runs that this node owns. The truth is the `run_timers` table; in memory are only those that fall due within
 * a horizon, so a million waiting runs cost nothing here. A timer may be fired twice (a run ignores one that it no longer has); it is never
 * forgotten, because the table is read again and again.
 *
 * When very many are due at once, the soonest go first, and only so many are under way (from firing to the commit of their end) that the store is kept busy:
 * new runs and signals find short queues meanwhile.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Journal, RunTimer } from "../../runtime/storage/journal.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { ServedShards } from "../run/served-shards.ts";
import { DueQueue } from "./due-queue.ts";

/** Timers due within this time are kept in memory. For tests, too. */
export const TIMER_HORIZON_MS = 60_000;
/** How often the table is read. */
const READ_EVERY_MS = TIMER_HORIZON_MS / 2;
/** Rows of the table read at once, and timers fired in one go before other work gets its turn. */
const TIMERS_PER_READ = 10_000;
const FIRES_PER_TURN = 500;
/** A timer whose run has said nothing for this long makes room for others: the run is stuck, or did not know the timer. */
const UNDER_WAY_MS = 5_000;
/** When to try again after the run could not take its timer, or the table could not be read. */
const RETRY_MS = 250;

/** What the service needs. */
export interface TimerServiceOptions {
  readonly clock: Clock;
  readonly journal: Pick<Journal, "listTimers">;
  /** The shards whose timers are fired here. */
  readonly shards: ServedShards;
  /** Hands a timer to its run; false if it can't take it now. */
  fire(runId: RunId, timer: number): boolean;
  /** The table could not be read; it is tried again. */
  onReadFailed(error: unknown): void;
}

/** The timers of one node. */
export class TimerService {
  readonly #options: TimerServiceOptions;
  readonly #due = new DueQueue<string>();
  /** Timers that were fired and whose end is not committed yet: until when they count, in order of that time. */
  readonly #underWay = new Map<string, number>();
  #cancelFire: CancelTimer | undefined;
  #cancelRead: CancelTimer | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  /** The last timer of the table that was read; undefined: the next reading begins with the soonest. */
  #readUpTo: RunTimer | undefined;
  #started = false;
  #stopped = false;

  constructor(options: TimerServiceOptions) {
    this.#options = options;
  }

  /** Timers in memory. */
  get size(): number {
    return this.#due.size;
  }

  /** Reads the table for the first time, and goes on by itself. */
  async start(): Promise<void> {
    this.#started = true;
    await this.#read();
  }

  /**
   * Reads the timers of shards that are served from now on; before {@link start}, which reads those of all, it does nothing. Resolves when they are
   * in memory, or as many as there is room for. Never rejects.
   */
  async open(shards: ShardSet): Promise<void> {
    for (let after: RunTimer | undefined; this.#started && !this.#stopped; ) {
      try {
        const page = await this.#readPage(shards, after);
        after = page.at(-1);
        if (page.length < TIMERS_PER_READ || this.#due.size >= LIMITS.timersInMemory) return;
      } catch (error) {
        this.#options.onReadFailed(error);
        await pause(RETRY_MS, this.#options.clock);
      }
    }
  }

  /** Forgets the timers of shards that are served no more. */
  close(shards: ShardSet): void {
    for (const key of this.#due.keys()) if (shards.has(shardOf(key as RunId))) this.#due.delete(key);
    for (const key of this.#underWay.keys()) if (shards.has(shardOf(key as RunId))) this.#underWay.delete(key);
    this.#arm();
  }

  /** Stops firing. Nothing is lost: the rows are there. */
  stop(): void {
    this.#stopped = true;
    this.#cancelFire?.();
    this.#cancelRead?.();
  }

  /** A timer was committed. */
  set(runId: RunId, timer: number, dueAtMs: number): void {
    if (this.#stopped || dueAtMs > this.#options.clock.now() + TIMER_HORIZON_MS || !this.#options.shards.has(shardOf(runId))) return;
    this.#due.set(keyOf(runId, timer), dueAtMs);
    this.#arm();
  }

  /** A timer's end was committed. */
  clear(runId: RunId, timer: number): void {
    const key = keyOf(runId, timer);
    this.#due.delete(key);
    if (this.#underWay.delete(key)) this.#arm();
  }

  async #read(): Promise<void> {
    let nextReadMs = RETRY_MS;
    try {
      if (await this.#readOn()) nextReadMs = READ_EVERY_MS;
    } catch (error) {
      this.#options.onReadFailed(error);
    }
    if (this.#stopped) return;
    this.#arm();
    this.#cancelRead = this.#options.clock.schedule(nextReadMs, () => void this.#read());
  }

  /** Reads on where the last reading stopped. Answers true at the end of what is due: the next reading begins anew. */
  async #readOn(): Promise<boolean> {
    while (!this.#stopped && this.#due.size < LIMITS.timersInMemory) {
      const rows = await this.#readPage(this.#options.shards.current, this.#readUpTo);
      this.#readUpTo = rows.length < TIMERS_PER_READ ? undefined : rows.at(-1);
      if (this.#readUpTo === undefined) return true;
    }
    return false;
  }

  async #readPage(shards: ShardSet, after: RunTimer | undefined): Promise<readonly RunTimer[]> {
    const { clock, journal } = this.#options;
    if (shards.size === 0) return [];
    const rows = await journal.listTimers(shards, clock.now() + TIMER_HORIZON_MS, TIMERS_PER_READ, after);
    for (const row of rows) this.#add(row);
    this.#arm();
    return rows;
  }

  #add(row: RunTimer): void {
    if (!this.#options.shards.has(shardOf(row.runId))) return;
    const key = keyOf(row.runId, row.timer);
    if ((this.#underWay.get(key) ?? 0) <= this.#options.clock.now()) this.#due.set(key, row.dueAtMs);
  }

  #arm(): void {
    const { clock } = this.#options;
    const dueMs = this.#due.nextDueAtMs();
    const nextMs = dueMs === undefined ? undefined : Math.max(dueMs, this.#roomFromMs());
    if (nextMs === undefined || nextMs >= this.#armedForMs || this.#stopped) return;
    this.#cancelFire?.();
    this.#armedForMs = nextMs;
    this.#cancelFire = clock.schedule(Math.max(0, nextMs - clock.now()), () => this.#fire());
  }

  /** When one more may be under way, as far as is known now. */
  #roomFromMs(): number {
    if (this.#underWay.size < LIMITS.timersUnderWay) return Number.NEGATIVE_INFINITY;
    const [soonestMs = Number.NEGATIVE_INFINITY] = this.#underWay.values();
    return soonestMs;
  }

  #fire(): void {
    const { clock } = this.#options;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    const nowMs = clock.now();
    this.#dropSilent(nowMs);
    for (let fired = 0; fired < FIRES_PER_TURN && this.#underWay.size < LIMITS.timersUnderWay; fired += 1) {
      const key = this.#due.take(nowMs);
      if (key === undefined) break;
      const [runId, timer] = key.split(":") as [RunId, string];
      this.#underWay.set(key, nowMs + UNDER_WAY_MS);
      if (this.#options.fire(runId, Number(timer))) continue;
      this.#underWay.delete(key);
      this.#due.set(key, nowMs + RETRY_MS);
    }
    this.#arm();
  }

  #dropSilent(nowMs: number): void {
    for (const [key, untilMs] of this.#underWay) {
      if (untilMs > nowMs) return;
      this.#underWay.delete(key);
    }
  }
}

function keyOf(runId: RunId, timer: number): string {
  return `${runId}:${timer}`;
}
