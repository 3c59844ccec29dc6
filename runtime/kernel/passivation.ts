/**
 * Which actors should leave memory: those that were idle for long, and the longest idle if there are too many. A group only asks; each actor
 * decides by calling `context.passivate()`.
 */
import { invariant } from "../assert.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { IdleOrder } from "./idle-order.ts";

/**
 * Members that are asked when one comes beyond the limit. More than one, so that the group shrinks; and few, because those with work stay, and a
 * node that is full of work must not spend its time asking.
 */
const ASKED_PER_ARRIVAL = 2;
/** Members that are asked in one look at most. */
const ASKED_PER_LOOK = 10_000;
/** The group looks at its members this many times in the time that makes one idle. */
const LOOKS_PER_IDLE_TIME = 4;

/** An actor as its group sees it. */
export interface Member {
  /** Asks the actor to consider leaving. */
  suggestPassivation(): void;
}

/** What a group is made of. */
export interface PassivationOptions {
  readonly clock: Clock;
  /** A member that did nothing for this many milliseconds is asked to leave. */
  readonly idleMs: number;
  /** Above this many members the longest idle ones are asked to leave. */
  readonly maxResident: number;
}

/** Actors that share one budget of memory; give it to them as `SpawnOptions.passivation`. */
export class PassivationGroup {
  readonly #options: PassivationOptions;
  readonly #order = new IdleOrder<Member>();
  #cancelLook: CancelTimer | undefined;

  /** Throws InvariantBroken unless both bounds are more than 0. */
  constructor(options: PassivationOptions) {
    invariant(options.idleMs > 0 && Number.isFinite(options.idleMs), `idleMs must be more than 0, not ${options.idleMs}`);
    invariant(Number.isInteger(options.maxResident) && options.maxResident > 0, `maxResident must be 1 or more, not ${options.maxResident}`);
    this.#options = options;
  }

  /** Members in memory. */
  get size(): number {
    return this.#order.size;
  }

  /** For the kernel: a member did something. A new member beyond the limit makes the two longest idle ones be asked to leave. */
  touch(member: Member): void {
    const { clock, maxResident } = this.#options;
    const nowMs = clock.monotonic();
    const isNew = this.#order.touch(member, nowMs);
    if (isNew && this.#order.size > maxResident) this.#suggest(Number.NEGATIVE_INFINITY, nowMs, ASKED_PER_ARRIVAL);
    if (this.#cancelLook === undefined) this.#armLook();
  }

  /** For the kernel: a member is gone. */
  remove(member: Member): void {
    this.#order.remove(member);
    if (this.#order.size > 0) return;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #armLook(): void {
    const { clock, idleMs } = this.#options;
    this.#cancelLook = clock.schedule(idleMs / LOOKS_PER_IDLE_TIME, () => {
      const nowMs = clock.monotonic();
      this.#suggest(nowMs - idleMs, nowMs, ASKED_PER_LOOK);
      if (this.#order.size > 0) this.#armLook();
      else this.#cancelLook = undefined;
    });
  }

  /** A member that is asked counts as active, so that one which stays is not asked again at once. */
  #suggest(untilMs: number, nowMs: number, limit: number): void {
    for (const member of this.#order.due(untilMs, this.#options.maxResident, limit)) {
      this.#order.touch(member, nowMs);
      member.suggestPassivation();
    }
  }
}
