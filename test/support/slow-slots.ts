/**
 * A store of slots as a node sees one over a network: every call takes its time, and may fail before it had an effect, after it, or while its effect
 * is still to come.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { ShardEpochs } from "../../runtime/storage/held-shards.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { SlotRequest, TaskSlot, TaskSlots } from "../../runtime/storage/task-slots.ts";

const LONGEST_MS = 40;

/** See the file header. */
export class SlowSlots implements TaskSlots {
  /** Share of calls that fail. */
  failures = 0;
  /** The node is dead: it asks for nothing more, and hears no answers. What it asked for may still happen. */
  isCut = false;
  readonly #store: TaskSlots;
  readonly #clock: Clock;
  readonly #random: Random;

  readonly #take: TaskSlots["take"];

  /** `take`: what is called instead of the store's own, to look at what it does. */
  constructor(store: TaskSlots, clock: Clock, random: Random, take: TaskSlots["take"] = (bootId, wanted) => store.take(bootId, wanted)) {
    this.#take = take;
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]> {
    return this.#call(() => this.#take(bootId, wanted));
  }

  linger(slots: readonly TaskSlot[]): Promise<void> {
    return this.#call(() => this.#store.linger(slots));
  }

  free(slots: readonly TaskSlot[]): Promise<void> {
    return this.#call(() => this.#store.free(slots));
  }

  reclaim(bootId: BootId, slots: readonly TaskSlot[], epochs: ShardEpochs): Promise<number> {
    return this.#call(() => this.#store.reclaim(bootId, slots, epochs));
  }

  list(shards: ShardSet, limit: number, after?: TaskSlot): Promise<readonly TaskSlot[]> {
    return this.#call(() => this.#store.list(shards, limit, after));
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.isCut) return promise;
    const failsAtMs = this.#random.fraction() < this.failures ? this.#random.fraction() * LONGEST_MS : undefined;
    const isWithoutEffect = failsAtMs !== undefined && this.#random.fraction() < 0.3;
    if (failsAtMs !== undefined) this.#clock.schedule(failsAtMs, () => this.isCut || reject(new Error("the connection was lost")));
    this.#clock.schedule(this.#random.fraction() * LONGEST_MS, () => {
      if (isWithoutEffect) return;
      const done = work();
      this.#clock.schedule(this.#random.fraction() * LONGEST_MS, () => this.isCut || void done.then(resolve, reject));
    });
    return promise;
  }
}
