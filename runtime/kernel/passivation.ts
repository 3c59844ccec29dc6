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

/**
 * The order of members is exact to this part of the time that makes one idle: an active member is moved in it that often, and costs a comparison
 * otherwise.
 */
const MOVES_PER_IDLE_TIME = 16;
/** Of a member that is in no group. */
export const NEVER_ACTIVE = Number.NEGATIVE_INFINITY;

/** An actor as its group sees it. */
export interface Member {
  /** When its group last noted activity, on the monotonic clock. The group's alone to change; {@link NEVER_ACTIVE} at first. */
  activeMs: number;
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
    const { clock, maxResident, idleMs } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - member.activeMs < idleMs / MOVES_PER_IDLE_TIME) return;
    const isNew = this.#note(member, nowMs);
    if (isNew && this.#order.size > maxResident) this.#suggest(Number.NEGATIVE_INFINITY, nowMs, ASKED_PER_ARRIVAL);
    if (this.#cancelLook === undefined) this.#armLook();
  }

  /** For the kernel: a member is gone. */
  remove(member: Member): void {
    this.#order.remove(member);
    member.activeMs = NEVER_ACTIVE;
    if (this.#order.size > 0) return;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #note(member: Member, nowMs: number): boolean {
    member.activeMs = nowMs;
    return this.#order.touch(member, nowMs);
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
      this.#note(member, nowMs);
      member.suggestPassivation();
    }
  }
}
