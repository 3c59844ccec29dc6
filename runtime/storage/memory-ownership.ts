/**
 * Ownership in memory.
 */
import { MaestroError } from "../errors.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Claim, ClaimRequest, Ownership } from "./ownership.ts";

/** The ownership table. For tests and simulation. */
export class MemoryOwnership implements Ownership {
  readonly #store: MemoryStore;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async claim({ bootId, nodeName, leaseMs }: ClaimRequest): Promise<Claim> {
    const { nodes, epochs, clock } = this.#store;
    const nowMs = clock.now();
    for (const node of nodes.values()) {
      if (node.isReleased || node.nodeName === nodeName || node.leaseUntilMs <= nowMs) continue;
      throw new MaestroError("OWNED_ELSEWHERE", { facts: { node: node.nodeName, until: new Date(node.leaseUntilMs).toISOString() } });
    }
    const isAfterLoss = [...nodes.values()].some((node) => !node.isReleased);
    for (const node of nodes.values()) Object.assign(node, { isReleased: true, isFenced: true });
    nodes.set(bootId, { bootId, nodeName, leaseUntilMs: nowMs + leaseMs, isReleased: false, isFenced: false });
    const claimed = Array.from({ length: SHARD_COUNT }, (_, shard) => (epochs.get(shard) ?? 0) + 1);
    for (const [shard, epoch] of claimed.entries()) epochs.set(shard, epoch);
    return { isAfterLoss, epochOf: (shard: Shard) => claimed[shard] ?? 0 };
  }

  async renew(bootId: BootId, leaseMs: number): Promise<boolean> {
    const node = this.#store.nodes.get(bootId);
    if (node === undefined || node.isReleased || node.isFenced) return false;
    node.leaseUntilMs = this.#store.clock.now() + leaseMs;
    return true;
  }

  async release(bootId: BootId): Promise<void> {
    const node = this.#store.nodes.get(bootId);
    if (node !== undefined) node.isReleased = true;
  }
}
