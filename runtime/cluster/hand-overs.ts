/**
 * What a node holds, shard by shard, and the hand-overs that are under way: stop what runs there and flush, give the shards up in the table, forget them.
 */
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import type { Ownership } from "../storage/ownership.ts";
import type { ShardSet } from "../storage/shard-set.ts";
import type { Holding } from "./convergence.ts";

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 2_000;

/** What hand-overs need. */
export interface HandOversOptions {
  readonly ownership: Pick<Ownership, "release">;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly events: EventHub;
  /**
   * Stops what runs in the shards and flushes the journal. If it rejects, the node keeps the shards, and they must work as before. Answers those
   * whose next owner must be told that they were lost before.
   */
  handOff(shards: readonly Shard[]): Promise<ShardSet>;
  /** Called when the shards were given up. */
  onReleased(shards: readonly Shard[]): void;
}

/** The shards of one node. */
export class HandOvers {
  readonly #options: HandOversOptions;
  readonly #holdings: Holding[] = new Array<Holding>(SHARD_COUNT).fill("none");
  readonly #running = new Set<Promise<void>>();
  #count = 0;
  #isStopped = false;

  constructor(options: HandOversOptions) {
    this.#options = options;
  }

  /** Shards that are held or being handed over. */
  get count(): number {
    return this.#count;
  }

  /** What the node has of a shard. */
  holdingOf(shard: Shard): Holding {
    return this.#holdings[shard] ?? "none";
  }

  /** Holds shards from now on, but for those that are being handed over. */
  hold(shards: Iterable<Shard>): void {
    for (const shard of shards) {
      if (this.holdingOf(shard) !== "none") continue;
      this.#holdings[shard] = "held";
      this.#count++;
    }
  }

  /** Begins to hand a group of shards over. */
  begin(shards: readonly Shard[]): void {
    for (const shard of shards) this.#holdings[shard] = "leaving";
    const handingOver = this.#handOver(shards).finally(() => this.#running.delete(handingOver));
    this.#running.add(handingOver);
  }

  /** Begins nothing more and tries nothing again; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  /** Never rejects. */
  async #handOver(shards: readonly Shard[]): Promise<void> {
    const { clock, events, handOff, onReleased } = this.#options;
    const startedAtMs = clock.monotonic();
    let bereft: ShardSet;
    try {
      bereft = await handOff(shards);
    } catch (error) {
      for (const shard of shards) this.#holdings[shard] = "held";
      events.emit("cluster.handOverFailed", { shards: shards.length, reason: messageOf(error) });
      return;
    }
    if (!(await this.#release(shards, bereft))) return;
    for (const shard of shards) this.#holdings[shard] = "none";
    this.#count -= shards.length;
    events.emit("cluster.handedOver", { shards: shards.length, durationMs: clock.monotonic() - startedAtMs });
    onReleased(shards);
  }

  /** Gives shards up, however often it takes: what ran there has stopped. Answers false if the node was stopped before. */
  async #release(shards: readonly Shard[], bereft: ShardSet): Promise<boolean> {
    const { ownership, bootId, clock, events } = this.#options;
    for (let pauseMs = PAUSE_MIN_MS; !this.#isStopped; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      try {
        await ownership.release(bootId, shards, bereft);
        return true;
      } catch (error) {
        events.emit("cluster.storeFailed", { operation: "release", reason: messageOf(error) });
        await new Promise<void>((resolve) => clock.schedule(pauseMs, resolve));
      }
    }
    return false;
  }
}
