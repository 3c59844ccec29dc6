/**
 * A process of the simulated world: a boot of a node. It has clocks of its own, may stand still while the world goes on, and may die at any moment:
 * from then on nothing reaches it, and nothing that it still tries reaches anyone.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import type { Scheduler } from "../../runtime/kernel/scheduler.ts";
import type { Random } from "../../runtime/random.ts";
import { between } from "./faults.ts";
import type { WorldTime } from "./world-time.ts";

/** Longest time for which a turn of the event loop keeps what was put off until after I/O, in milliseconds. */
const TURN_MAX_MS = 1;

/** How far a wall clock is stepped to either side. Twice that is less than the product allows for (`CLOCK_MARGIN_MS`). */
const WALL_STEP_MS = 2_400;

/** How far wall clocks of processes are from the truth at most, in milliseconds. */
export const WALL_OFF_MS = 20_000;
/** How far two of them, or one and the store's, are apart at most. */
export const WALL_SKEW_MS = 2 * (WALL_OFF_MS + WALL_STEP_MS);

/** A process. */
export class SimulatedProcess {
  /** Tells boots of one node apart: `n1/2` is the second of the node n1. */
  readonly name: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly #time: WorldTime;
  readonly #random: Random;
  readonly #rate: number;
  readonly #waiting: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];
  #state: "running" | "standing" | "dead" = "running";
  #outputsLeft = Number.POSITIVE_INFINITY;
  /** How far its wall clock is from the truth, in milliseconds: some time, and as far as it was stepped to and fro around that. */
  #wallOffsetMs = 0;
  #wallStepMs = 0;

  /** `rate`: how fast its monotonic clock runs; 1 is right. */
  constructor(name: string, time: WorldTime, random: Random, rate: number) {
    this.name = name;
    this.#time = time;
    this.#random = random;
    this.#rate = rate;
    this.clock = {
      now: () => time.now() + this.#wallOffsetMs + this.#wallStepMs,
      monotonic: () => time.monotonic() * this.#rate,
      schedule: (delayMs, callback) => this.#schedule(delayMs / this.#rate, callback),
    };
    const resolved = Promise.resolve();
    this.scheduler = {
      soon: (task) => void resolved.then(task),
      afterIo: (task) => void this.#schedule(this.#random.fraction() * TURN_MAX_MS, task),
    };
  }

  /** True once it has died. */
  get isDead(): boolean {
    return this.#state === "dead";
  }

  /** True if it runs: it is neither dead nor standing still. */
  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Something comes to the process: it is taken now, or when it goes on, or never. */
  enter(callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state === "standing") this.#waiting.push(callback);
  }

  /** Something leaves the process: now, or when it goes on, or never. */
  leave(callback: () => void): void {
    if (this.#state === "standing") {
      this.#waiting.push(() => this.leave(callback));
      return;
    }
    if (this.#state === "running" && this.#outputsLeft-- <= 0) this.crash();
    if (this.#state === "running") callback();
  }

  /** Moves its wall clock: `offsetMs` at most forwards for good, and to within {@link WALL_STEP_MS} of that. */
  setWallClock(offsetMs: number): void {
    this.#wallOffsetMs = Math.round(offsetMs);
    this.#wallStepMs = Math.round(between(this.#random, -WALL_STEP_MS, WALL_STEP_MS));
  }

  /** See {@link setWallClock}. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  /** Calls back when the process dies; at once if it has. */
  onDeath(callback: () => void): void {
    if (this.isDead) callback();
    else this.#onDeath.push(callback);
  }

  /** Dies. */
  crash(): void {
    if (this.isDead) return;
    this.#state = "dead";
    this.#waiting.length = 0;
    for (const callback of this.#onDeath.splice(0)) callback();
  }

  /** Dies in the middle of what it does: when `count` things more have left it. */
  crashAfter(count: number): void {
    this.#outputsLeft = count;
  }

  /** Stands still for a time; then it finds everything that came meanwhile. */
  standStill(durationMs: number): void {
    if (this.#state !== "running") return;
    this.#state = "standing";
    this.#time.schedule(durationMs, () => {
      if (this.#state !== "standing") return;
      this.#state = "running";
      for (const callback of this.#waiting.splice(0)) this.#time.schedule(0, () => this.enter(callback));
    });
  }

  #schedule(delayMs: number, callback: () => void): CancelTimer {
    let isCancelled = false;
    const cancel = this.#time.schedule(delayMs, () =>
      this.enter(() => {
        if (!isCancelled) callback();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
