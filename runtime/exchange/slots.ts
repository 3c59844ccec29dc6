/**
 * How many attempts a node executes at a time in each tier, and how many of these places are taken: by attempts under way, of its own runs and of
 * other nodes'. A place that others were asked to fill is claimed until they have answered: nobody else is asked for it, but it keeps out no attempt
 * that is here already, unless it is kept: then none of the node's own runs may have it.
 */
import { invariant } from "../assert.ts";
import type { Tier } from "../workers/pool.ts";

/** A number for each tier. */
export type ByTier = Readonly<Record<Tier, number>>;

/** The tiers, the usual one first. */
export const TIERS: readonly Tier[] = ["thread", "process"];

/** The places of one node. */
export class Slots {
  readonly #capacity: number;
  readonly #taken = { thread: 0, process: 0 };
  readonly #claimed = { thread: 0, process: 0 };
  readonly #kept = { thread: 0, process: 0 };

  /** `capacity`: places of each tier. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** True while one more attempt of a tier may begin. */
  hasPlace(tier: Tier): boolean {
    return this.#taken[tier] < this.#capacity;
  }

  /** True while one more attempt of the node's own runs may begin. */
  hasRoom(tier: Tier): boolean {
    return this.#taken[tier] + this.#kept[tier] < this.#capacity;
  }

  /** Keeps a place for attempts of others; the returned function ends that, and is called once. */
  keep(tier: Tier): () => void {
    this.#kept[tier] += 1;
    return () => {
      this.#kept[tier] -= 1;
    };
  }

  /** Places for which others may be asked. */
  free(tier: Tier): number {
    return Math.max(0, this.#capacity - this.#taken[tier] - this.#claimed[tier]);
  }

  /** Takes a place, which must be there. */
  take(tier: Tier): void {
    invariant(this.hasPlace(tier), `one more than ${this.#capacity} slots of the tier ${tier} is taken`);
    this.#taken[tier] += 1;
  }

  /** Gives a place back. */
  release(tier: Tier): void {
    invariant(this.#taken[tier] > 0, `a slot of the tier ${tier} is given back that was not taken`);
    this.#taken[tier] -= 1;
  }

  /** Claims free places while `ask` is under way. */
  async claim(counts: ByTier, ask: () => Promise<void>): Promise<void> {
    for (const tier of TIERS) this.#claimed[tier] += counts[tier];
    try {
      await ask();
    } finally {
      for (const tier of TIERS) this.#claimed[tier] -= counts[tier];
    }
  }
}
