/**
 * The time bounds of one attempt: wait for a thread, execution, silence between heartbeats. Measured in the node, because a thread that is
 * stuck can't measure itself. A bound is judged only after the event loop has read what is waiting: a node that stood still for a while must
 * not fail attempts whose answers have arrived meanwhile.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { AttemptError, HandlerOptions } from "./pool.ts";

/** Which bound. */
export type Timeout = NonNullable<AttemptError["timeout"]>;

/** True if a handler has bounds at all; most have none and need no {@link Deadlines}. */
export function hasDeadlines(options: HandlerOptions): boolean {
  return options.scheduleToStartMs !== undefined || options.startToCloseMs !== undefined || options.heartbeatMs !== undefined;
}

/** Watches the bounds of one attempt; calls `exceeded` at most once. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #options: HandlerOptions;
  readonly #exceeded: (timeout: Timeout, boundMs: number) => void;
  #timers: CancelTimer[] = [];
  #cleared = false;
  #lastBeatMs = 0;

  constructor(clock: Clock, options: HandlerOptions, exceeded: (timeout: Timeout, boundMs: number) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#exceeded = exceeded;
  }

  /** The attempt has been queued. It has waited for `waitedMs` elsewhere. */
  queued(waitedMs: number): void {
    this.#arm("scheduleToStart", this.#options.scheduleToStartMs, waitedMs);
  }

  /** The attempt has been given to a thread. */
  started(): void {
    this.#cancelTimers();
    this.#lastBeatMs = this.#clock.monotonic();
    this.#arm("startToClose", this.#options.startToCloseMs);
    this.#armHeartbeat(this.#options.heartbeatMs);
  }

  /** The attempt has given a sign of life. */
  beat(): void {
    this.#lastBeatMs = this.#clock.monotonic();
  }

  /** Watches no more. */
  clear(): void {
    this.#cleared = true;
    this.#cancelTimers();
  }

  #arm(timeout: Timeout, boundMs: number | undefined, elapsedMs = 0): void {
    if (boundMs === undefined) return;
    let cancelled = false;
    const stop = this.#clock.schedule(Math.max(0, boundMs - elapsedMs), () => {
      setImmediate(() => {
        if (!cancelled) this.#exceed(timeout, boundMs);
      });
    });
    this.#timers.push(() => {
      cancelled = true;
      stop();
    });
  }

  /** Beats do not move the timer, as they may be many; it looks when it fires, and goes on for what is left. */
  #armHeartbeat(boundMs: number | undefined): void {
    if (boundMs === undefined) return;
    const check = (): void => {
      if (this.#cleared) return;
      const leftMs = this.#lastBeatMs + boundMs - this.#clock.monotonic();
      if (leftMs <= 0) this.#exceed("heartbeat", boundMs);
      else this.#timers.push(this.#clock.schedule(leftMs, () => setImmediate(check)));
    };
    check();
  }

  #exceed(timeout: Timeout, boundMs: number): void {
    if (this.#cleared) return;
    this.clear();
    this.#exceeded(timeout, boundMs);
  }

  #cancelTimers(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
  }
}
