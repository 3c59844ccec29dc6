/**
 * The slots of concurrency keys in memory, for tests and simulation.
 */
import { type BootId, shardOf } from "../ids.ts";
import type { ShardEpochs } from "./held-shards.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { ShardSet } from "./shard-set.ts";
import { LEAST_LIMIT_MS, type SlotRequest, type TaskSlot, type TaskSlots } from "./task-slots.ts";

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
      if (full.has(key)) return false;
      const held = [...slots.values()].filter((slot) => slot.key === key);
      if (held.length < Math.min(limit, this.#leastOf(key), ...held.map((slot) => slot.limit ?? limit))) {
        slots.set(nameOf(request), { key, runId, frame, attempt, limit });
        return true;
      }
      full.add(key);
      this.#refuse(request, held.length);
      return false;
    });
  }

  async linger(slots: readonly TaskSlot[]): Promise<void> {
    for (const slot of slots) this.#store.slots.set(nameOf(slot), slot);
  }

  async free(slots: readonly TaskSlot[]): Promise<void> {
    for (const slot of slots) this.#store.slots.delete(nameOf(slot));
  }

  async reclaim(bootId: BootId, slots: readonly TaskSlot[], epochs: ShardEpochs): Promise<number> {
    const isOf = ({ runId }: TaskSlot): boolean => this.#store.shards.get(shardOf(runId))?.epoch === epochs.get(shardOf(runId));
    return slots.filter((slot) => this.#isOwner(bootId, slot) && isOf(slot) && this.#store.slots.delete(nameOf(slot))).length;
  }

  async list(shards: ShardSet, limit: number, after?: TaskSlot): Promise<readonly TaskSlot[]> {
    const held = [...this.#store.slots].filter(([, { runId }]) => shards.has(shardOf(runId))).sort(([left], [right]) => (left < right ? -1 : 1));
    const rest = after === undefined ? held : held.filter(([name]) => name > nameOf(after));
    return rest.slice(0, limit).map(([, { key, runId, frame, attempt }]) => ({ key, runId, frame, attempt }));
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #leastOf(key: string): number {
    const known = this.#store.slotLimits.get(key);
    const isFresh = known !== undefined && this.#store.clock.monotonic() - known.askedMs < LEAST_LIMIT_MS;
    return isFresh ? known.least : Number.POSITIVE_INFINITY;
  }

  /** The first that has to wait: its limit counts if others have more than that. */
  #refuse({ key, limit }: SlotRequest, held: number): void {
    const { slotLimits, clock } = this.#store;
    const isLeast = limit <= this.#leastOf(key);
    if (isLeast && (held > limit || slotLimits.has(key))) slotLimits.set(key, { least: limit, askedMs: clock.monotonic() });
  }

  #isOwner(bootId: BootId, { runId }: TaskSlot): boolean {
    return this.#store.shards.get(shardOf(runId))?.owner === bootId;
  }
}

function nameOf({ key, runId, frame, attempt }: TaskSlot): string {
  return JSON.stringify([key, runId, frame, attempt]);
}
