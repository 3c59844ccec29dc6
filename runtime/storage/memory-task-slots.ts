/**
 * The slots of concurrency keys in memory, for tests and simulation.
 */
import { type BootId, shardOf } from "../ids.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { ShardSet } from "./shard-set.ts";
import type { SlotRequest, TaskSlot, TaskSlots } from "./task-slots.ts";

/** The slots. For tests. */
export class MemoryTaskSlots implements TaskSlots {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]> {
    const full = new Set<string>();
    return wanted.filter((request) => {
      const { key, runId, frame, attempt, limit } = request;
      if (!this.#isOwner(bootId, request)) return false;
      const { slots } = this.#store;
      if (slots.has(nameOf(request))) return true;
      if (full.has(key) || [...slots.values()].filter((slot) => slot.key === key).length >= limit) {
        full.add(key);
        return false;
      }
      slots.set(nameOf(request), { key, runId, frame, attempt });
      return true;
    });
  }

  async linger(slots: readonly TaskSlot[]): Promise<void> {
    for (const slot of slots) this.#store.slots.set(nameOf(slot), slot);
  }

  async free(slots: readonly TaskSlot[]): Promise<void> {
    for (const slot of slots) this.#store.slots.delete(nameOf(slot));
  }

  async reclaim(bootId: BootId, slots: readonly TaskSlot[]): Promise<number> {
    return slots.filter((slot) => this.#isOwner(bootId, slot) && this.#store.slots.delete(nameOf(slot))).length;
  }

  async list(shards: ShardSet, limit: number, after?: TaskSlot): Promise<readonly TaskSlot[]> {
    const held = [...this.#store.slots].filter(([, { runId }]) => shards.has(shardOf(runId))).sort(([left], [right]) => (left < right ? -1 : 1));
    const rest = after === undefined ? held : held.filter(([name]) => name > nameOf(after));
    return rest.slice(0, limit).map(([, slot]) => slot);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #isOwner(bootId: BootId, { runId }: TaskSlot): boolean {
    return this.#store.shards.get(shardOf(runId))?.owner === bootId;
  }
}

function nameOf({ key, runId, frame, attempt }: TaskSlot): string {
  return JSON.stringify([key, runId, frame, attempt]);
}
