/**
 * Finds slots of concurrency keys that were left behind: their attempts are over, or under way nowhere, because an earlier owner of their runs was lost before
 * it had freed them. Looks at the slots of the runs of this node every few seconds. What stays unknown for a while is freed: an attempt that is still to be
 * executed gets a slot again then, as any other does.
 */
import { invariant } from "../../runtime/assert.ts";
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Random } from "../../runtime/random.ts";
import type { TaskSlot, TaskSlots } from "../../runtime/storage/task-slots.ts";
import { PATIENCE } from "../../runtime/workers/thread-pool-options.ts";
import { attemptIdOf } from "./attempt-id.ts";
import type { ServedShards } from "./served-shards.ts";

/** How often it looks, in milliseconds, give or take a quarter. */
const INTERVAL_MS = 5_000;
/**
 * How long an attempt must be unknown before its slot is freed, in milliseconds: longer than an owner before that was in order lets an abandoned attempt go
 * on (`PATIENCE`). So a slot that nobody needs is gone after that and two intervals.
 */
const UNKNOWN_MS = 10_000;

invariant(UNKNOWN_MS > PATIENCE.cancelGraceMs + PATIENCE.blockedMs, "an abandoned attempt keeps its slot as long as it is executed");

/** What it needs. */
export interface SlotReclaimerOptions {
  readonly store: Pick<TaskSlots, "list">;
  readonly clock: Clock;
  readonly random: Random;
  /** Shards whose runs with work ready are all in memory. */
  readonly shards: ServedShards;
  /** True if this node executes the attempt, has yet to store its end, or will free its slot itself. */
  isNeeded(attemptId: string): boolean;
  /** Frees slots that nobody needs. */
  reclaim(slots: readonly TaskSlot[]): void;
  /** The store failed; it is asked again. For the log. */
  onTrouble(what: string, error: unknown): void;
}

/** See the file header. */
export class SlotReclaimer {
  readonly #options: SlotReclaimerOptions;
  /** Attempts that were not known at the last look, and since when, on the monotonic clock. */
  #unknown: ReadonlyMap<string, number> = new Map();
  #cancel: CancelTimer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: SlotReclaimerOptions) {
    this.#options = options;
  }

  /** Looks from now on. */
  start(): void {
    if (this.#isStopped) return;
    const { clock, random, onTrouble } = this.#options;
    this.#cancel = clock.schedule(INTERVAL_MS * (0.75 + random.fraction() / 2), () => {
      this.#looking = this.#look()
        .catch((error: unknown) => onTrouble("the slots of concurrency keys could not be looked through", error))
        .finally(() => this.start());
    });
  }

  /** Looks no more; resolves when a look that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { store, clock, shards, isNeeded, reclaim } = this.#options;
    const unknown = new Map<string, number>();
    for (let after: TaskSlot | undefined; !this.#isStopped; ) {
      const page = await store.list(shards.current, LIMITS.slotsPerStatement, after);
      const nowMs = clock.monotonic();
      const left = page.filter((slot) => {
        const id = attemptIdOf(slot);
        if (isNeeded(id)) return false;
        const sinceMs = this.#unknown.get(id) ?? nowMs;
        unknown.set(id, sinceMs);
        return nowMs - sinceMs >= UNKNOWN_MS;
      });
      reclaim(left);
      after = page.at(-1);
      if (page.length < LIMITS.slotsPerStatement) break;
    }
    this.#unknown = unknown;
  }
}
