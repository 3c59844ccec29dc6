/**
 * The attempts of one node that wait for a slot of one concurrency key, in the order of their turns.
 */
import { createHash } from "node:crypto";
import type { CancelTimer } from "../../runtime/clock.ts";
import type { SlotRequest } from "../../runtime/storage/task-slots.ts";
import { DueQueue } from "../timers/due-queue.ts";

/** What is asked for an attempt that wants a slot. */
export interface SlotAsk {
  readonly id: string;
  readonly request: SlotRequest;
  readonly priority: number;
  /** Since when it waits, on the monotonic clock: its place among the others. */
  readonly sinceMs: number;
  /** How long it may go on waiting, in milliseconds. Undefined: for ever. */
  readonly boundMs: number | undefined;
  /** It has its slot. */
  begin(): void;
  /** It has waited too long, and waits no more. */
  late(): void;
}

/** An attempt that wants a slot, or has one. */
export interface SlotSeeker {
  readonly id: string;
  readonly request: SlotRequest;
  /** Since when it waits, on the monotonic clock. */
  readonly sinceMs: number;
  /** When it is its turn: see `turnOf`. Of two that came one after the other the second has the later one. */
  turnMs: number;
  /** `asked`: the store is being asked for its slot. */
  state: "waiting" | "asked" | "held";
  /** The store was asked for its slot and did not answer: it may have it. */
  isUncertain: boolean;
  /** Set while it is asked for: nobody wants the slot any more, which is to be freed, or left to the next owner of its run. */
  gone: "free" | "forget" | undefined;
  begin: () => void;
  cancelBound: CancelTimer | undefined;
}

/** See the file header. */
export class SlotLine {
  readonly key: string;
  /** Stands for the key in messages between nodes. */
  readonly hash: string;
  /** Attempts for which the store is being asked. */
  asked = 0;
  /** While the store was being asked, a slot of the key became free: the answer may be older than that. */
  isStale = false;
  readonly #waiting = new DueQueue<SlotSeeker>();

  constructor(key: string) {
    this.key = key;
    this.hash = hashOf(key);
  }

  /** Attempts that wait and are not being asked for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** True if it may be forgotten. */
  get isEmpty(): boolean {
    return this.asked === 0 && this.#waiting.size === 0;
  }

  /** Has an attempt wait, or wait on. */
  add(seeker: SlotSeeker): void {
    seeker.state = "waiting";
    this.#waiting.set(seeker, seeker.turnMs);
  }

  /** An attempt waits no more. */
  remove(seeker: SlotSeeker): void {
    this.#waiting.delete(seeker);
  }

  /** Takes the first `count` attempts out, or as many as there are, to ask for them: no more than the limit of the first, for no more can get a slot. */
  take(count: number): SlotSeeker[] {
    const taken: SlotSeeker[] = [];
    while (taken.length < Math.min(count, taken[0]?.request.limit ?? count)) {
      const seeker = this.#waiting.take(Number.POSITIVE_INFINITY);
      if (seeker === undefined) break;
      seeker.state = "asked";
      taken.push(seeker);
    }
    this.asked += taken.length;
    return taken;
  }
}

/** What stands for a key in messages between nodes: keys may be secrets of users. */
export function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 12);
}
