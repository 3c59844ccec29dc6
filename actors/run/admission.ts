/**
 * Lets new runs in: at once while the node keeps up, else in the order in which they came and as those before them end. It owns the starts that wait: they
 * are bounded in number and in time, so what is accepted is accepted soon, and what is refused is refused without work having been done for it. Runs
 * that exist never wait here: to finish what was begun goes before beginning more.
 *
 * Its states: patient -> strict, when a start has waited {@link PATIENCE_MS} in vain or the queue was long for that time, and back when nothing had to be
 * refused for as long. Patient, it takes a burst: a long queue, and Execute streams that are not read meanwhile. But a load that lasts would only find each
 * start waiting that long. So, strict, it keeps the queue short and refuses the rest at once, so that clients learn soon that they have to slow down.
 * Refusing has its price as well: what can be held back is read no faster than {@link REFUSALS_PER_RUN} refusals for each run that is let in.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import { Ring } from "../../runtime/kernel/ring.ts";
import type { Scheduler } from "../../runtime/kernel/scheduler.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Intake } from "../runs.ts";
import { ActiveLimit, type NodeLoad } from "./active-limit.ts";

/** Longest wait of a start, in milliseconds, and how long the queue may be long before the admission becomes strict. For tests. */
export const PATIENCE_MS = 2_000;
/** Share of the queue that may be used by strict admission, and by patient admission before requests are better held back. */
const STRICT_SHARE = 1 / 16;
const CROWDED_SHARE = 1 / 2;
/** A refusal costs far less than a run; with so many, nearly all of the speed is left to what was accepted. What comes faster stays with its clients. */
const REFUSALS_PER_RUN = 1;
/** Refusals that may be saved up. */
const REFUSALS_MAX = 200;
/** Time between two looks at the queue while nothing else happens, in milliseconds. */
const LOOK_EVERY_MS = 25;
/** When an overloaded node may be asked again. */
const OVERLOAD_RETRY_MS = 1_000;

/** What may wait, and how many runs may be under way. */
export interface AdmissionBounds {
  /** Starts that wait, above which one more is refused at once; from half of it on they are better held back. */
  readonly queueLength: number;
  /** Runs under way, whatever the delays say. */
  readonly activeRuns: number;
}

/** What the admission needs. */
export interface AdmissionOptions {
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, "afterIo">;
  /** Default: those of {@link LIMITS}. Only tests pass others. */
  readonly bounds?: AdmissionBounds | undefined;
  /** What is under way; asked for a few times a second. */
  load(): NodeLoad;
  /** Runs with work under way; asked for often. */
  activeCount(): number;
  /** Makes a run one of those under way. @throws why it can't be. */
  admit(chosen: RunId | undefined): RunId;
}

interface Waiting {
  readonly chosen: RunId | undefined;
  readonly sinceMs: number;
  /** Settled once; undefined from then on. */
  settle: { resolve(runId: RunId): void; reject(error: unknown): void } | undefined;
}

const BOUNDS: AdmissionBounds = { queueLength: LIMITS.startQueueLength, activeRuns: LIMITS.activeRuns };

/** See the file header. */
export class Admission implements Intake {
  readonly #options: AdmissionOptions;
  readonly #bounds: AdmissionBounds;
  readonly #limit = new ActiveLimit();
  readonly #waiting = new Ring<Waiting>();
  readonly #roomAwaited = new Set<() => void>();
  /** On the monotonic clock: since when the queue is long, and until when the admission is strict. */
  #longSinceMs: number | undefined;
  #strictUntilMs = Number.NEGATIVE_INFINITY;
  /** Refusals that the node can afford now; less than nothing if it had to refuse more. */
  #refusalsLeft = 0;
  /** Starts that may come in this turn of the event loop from those who were told of room. */
  #expected = 0;
  /** Made once for all that are refused within a short time. */
  #refusal: { readonly error: MaestroError; readonly untilMs: number } | undefined;
  #isWatching = false;
  /** Why nobody is let in any more. */
  #closed: MaestroError | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? BOUNDS;
  }

  /** Starts that wait. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** The share of the runs that may be under way now that are: 0 idle, 1 full. Runs that came with shards may make it more than full, which is not told. */
  get fullness(): number {
    return Math.min(this.#options.activeCount() / this.#placesNow(), 1);
  }

  get isCrowded(): boolean {
    const { queueLength } = this.#bounds;
    const queued = this.#waiting.length + this.#expected;
    if (queued < queueLength * STRICT_SHARE) return false;
    if (this.#isStrict(this.#options.clock.monotonic())) return this.#refusalsLeft <= this.#expected;
    return queued >= queueLength * CROWDED_SHARE;
  }

  onceRoomy(callback: () => void): () => void {
    this.#roomAwaited.add(callback);
    this.#watch();
    return () => void this.#roomAwaited.delete(callback);
  }

  requireRoom(): void {
    const queued = this.#waiting.length;
    if (queued < this.#bounds.queueLength * STRICT_SHARE) return;
    if (queued >= this.#bounds.queueLength || this.#isStrict(this.#options.clock.monotonic())) throw this.overloaded();
  }

  /**
   * Admits a run, now or later. Aborting gives the wait up. `chosen`: the id that it must have.
   * @throws NODE_OVERLOADED, REQUEST_CANCELLED, what `admit` throws
   */
  enter(signal?: AbortSignal, chosen?: RunId): RunId | Promise<RunId> {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#waiting.length === 0 && this.#hasPlace()) return this.#admit(chosen);
    this.requireRoom();
    return this.#wait(signal, chosen);
  }

  /** A write of a run was committed, that many milliseconds after its turn. */
  committed(delayMs: number): void {
    this.#limit.noteCommit(delayMs);
    if (this.#isAwaited) this.#letIn();
  }

  /** A task of a run has ended. */
  taskEnded(): void {
    this.#limit.noteTask();
  }

  /** Nobody is let in any more. */
  close(error: MaestroError): void {
    this.#closed = error;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next.settle?.reject(error);
    while (this.#roomAwaited.size > 0) this.#tellOfRoom();
  }

  #admit(chosen: RunId | undefined): RunId {
    this.#refusalsLeft = Math.min(this.#refusalsLeft + REFUSALS_PER_RUN, REFUSALS_MAX);
    return this.#options.admit(chosen);
  }

  #wait(signal: AbortSignal | undefined, chosen: RunId | undefined): Promise<RunId> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        waiting.settle = undefined;
        reject(new MaestroError("REQUEST_CANCELLED"));
      };
      const over = (): void => {
        waiting.settle = undefined;
        signal?.removeEventListener("abort", abort);
      };
      const waiting: Waiting = {
        chosen,
        sinceMs: this.#options.clock.monotonic(),
        settle: {
          resolve(runId) {
            over();
            resolve(runId);
          },
          reject(error) {
            over();
            reject(error);
          },
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(waiting);
      this.#noteLength(waiting.sinceMs);
      this.#watch();
    });
  }

  /** Somebody waits to be let in, or for room. */
  get #isAwaited(): boolean {
    return this.#waiting.length > 0 || this.#roomAwaited.size > 0;
  }

  /** Looks at the queue again and again while somebody waits. */
  #watch(): void {
    if (this.#isWatching || !this.#isAwaited) return;
    this.#isWatching = true;
    this.#options.clock.schedule(LOOK_EVERY_MS, () => {
      this.#isWatching = false;
      this.#refuseLate();
      this.#letIn();
      this.#watch();
    });
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && this.#hasPlace()) {
      const { settle, chosen } = this.#waiting.shift() ?? {};
      if (settle === undefined) continue;
      try {
        settle.resolve(this.#admit(chosen));
      } catch (error) {
        settle.reject(error);
      }
    }
    this.#noteLength(this.#options.clock.monotonic());
  }

  #refuseLate(): void {
    const nowMs = this.#options.clock.monotonic();
    const lateMs = nowMs - PATIENCE_MS;
    for (let first = this.#waiting.first; first !== undefined && first.sinceMs <= lateMs; first = this.#waiting.first) {
      this.#waiting.shift();
      if (first.settle === undefined) continue;
      this.#strictUntilMs = nowMs + PATIENCE_MS;
      first.settle.reject(this.overloaded());
    }
  }

  #hasPlace(): boolean {
    return this.#options.activeCount() < this.#placesNow();
  }

  /** How many runs may be under way. */
  #placesNow(): number {
    this.#limit.look(this.#options.clock.monotonic(), this.#options.load);
    return Math.min(this.#limit.value, this.#bounds.activeRuns);
  }

  #isStrict(nowMs: number): boolean {
    return nowMs < this.#strictUntilMs;
  }

  #noteLength(nowMs: number): void {
    const share = this.#waiting.length / this.#bounds.queueLength;
    if (share >= CROWDED_SHARE) this.#longSinceMs ??= nowMs;
    else if (share < CROWDED_SHARE / 2) this.#longSinceMs = undefined;
    if (this.#longSinceMs !== undefined && nowMs - this.#longSinceMs >= PATIENCE_MS) this.#strictUntilMs = nowMs + PATIENCE_MS;
    if (!this.isCrowded) this.#tellOfRoom();
  }

  /** Tells one of room. What it brings is known when this turn of the event loop is over. */
  #tellOfRoom(): void {
    for (const callback of this.#roomAwaited) {
      this.#roomAwaited.delete(callback);
      callback();
      if (this.#expected === 0) this.#options.scheduler.afterIo(this.#nextTurn);
      this.#expected += LIMITS.executeReadPerTurn;
      return;
    }
  }

  readonly #nextTurn = (): void => {
    this.#expected = 0;
  };

  /** What a start is refused with. */
  overloaded(): MaestroError {
    const nowMs = this.#options.clock.monotonic();
    if (this.#isStrict(nowMs)) this.#strictUntilMs = nowMs + PATIENCE_MS;
    this.#refusalsLeft -= 1;
    if (this.#refusal === undefined || this.#refusal.untilMs <= nowMs) {
      const error = new MaestroError("NODE_OVERLOADED", { facts: { active: this.#options.activeCount() }, retryAfterMs: OVERLOAD_RETRY_MS });
      this.#refusal = { error, untilMs: nowMs + LOOK_EVERY_MS };
    }
    return this.#refusal.error;
  }
}
