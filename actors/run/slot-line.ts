/**
 * The attempts of one node that wait for a slot of one concurrency key, in the order of their turns.
 */
import { createHash } from "node:crypto";
import type { CancelTimer } from "../../runtime/clock.ts";
import type { SlotRequest } from "../../runtime/storage/task-slots.ts";
import { DueQueue } from "../timers/due-queue.ts";

/** An attempt that wants a slot, or has one. */
export interface SlotSeeker {
  readonly id: string;
  readonly request: SlotRequest;
  /** When it is its turn: see `turnOf`. No two of a line have the same. */
  readonly turnMs: number;
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

  /** Takes the first `count` attempts out, or as many as there are, to ask for them. */
  take(count: number): SlotSeeker[] {
    const taken: SlotSeeker[] = [];
    while (taken.length < count) {
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
