/**
 * What a node holds, shard by shard, and the hand-overs that are under way: stop what runs there and flush, give the shards up in the table, forget them.
 */
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import type { ShardEpochs } from "../storage/held-shards.ts";
import type { Ownership } from "../storage/ownership.ts";
import { pause } from "../storage/pause.ts";
import type { ShardSet } from "../storage/shard-set.ts";
import type { Holding } from "./convergence.ts";
import { retryPauseMs } from "./retry-pause.ts";

/** What hand-overs need. */
export interface HandOversOptions {
  readonly ownership: Pick<Ownership, "release">;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly events: EventHub;
  /**
   * Stops what runs in the shards and flushes the journal. If it rejects it is called again, until it does not: what has been stopped of the shards is
   * not begun again here. Answers those whose next owner must be told that they were lost before.
   */
  handOff(shards: readonly Shard[]): Promise<ShardSet>;
  /** Called when the shards were given up. */
  onReleased(shards: readonly Shard[]): void;
}

/** The shards of one node. */
export class HandOvers {
  readonly #options: HandOversOptions;
  readonly #holdings: Holding[] = new Array<Holding>(SHARD_COUNT).fill("none");
  /** Under which epochs, of those that are not "none". */
  readonly #epochs = new Map<Shard, number>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: HandOversOptions) {
    this.#options = options;
  }

  /** Shards that are held or being handed over. */
  get count(): number {
    return this.#epochs.size;
  }

  /** What the node has of a shard. */
  holdingOf(shard: Shard): Holding {
    return this.#holdings[shard] ?? "none";
  }

  /** Holds shards from now on, but for those that are being handed over. */
  hold(shards: ShardEpochs): void {
    for (const [shard, epoch] of shards) {
      if (this.holdingOf(shard) !== "none") continue;
      this.#holdings[shard] = "held";
      this.#epochs.set(shard, epoch);
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
    const { ownership, bootId, clock, events, handOff, onReleased } = this.#options;
    const startedAtMs = clock.monotonic();
    const onStopFailed = (reason: string): void => events.emit("cluster.handOverFailed", { shards: shards.length, reason });
    const stopped = await this.#untilDone(() => handOff(shards), onStopFailed);
    if (stopped === undefined) return;
    const onReleaseFailed = (reason: string): void => events.emit("cluster.storeFailed", { operation: "release", reason });
    const held = new Map(shards.map((shard) => [shard, this.#epochs.get(shard) ?? 0]));
    const released = await this.#untilDone(() => ownership.release(bootId, held, stopped), onReleaseFailed);
    if (released === undefined) return;
    for (const shard of shards) {
      this.#holdings[shard] = "none";
      this.#epochs.delete(shard);
    }
    events.emit("cluster.handedOver", { shards: shards.length, durationMs: clock.monotonic() - startedAtMs });
    onReleased(shards);
  }

  /** Tries however often it takes; undefined: the node was stopped before. */
  async #untilDone<T>(attempt: () => Promise<T>, onFailed: (reason: string) => void): Promise<T | undefined> {
    const { clock } = this.#options;
    for (let failures = 1; !this.#isStopped; failures++) {
      try {
        return await attempt();
      } catch (error) {
        onFailed(messageOf(error));
        await pause(retryPauseMs(failures), clock);
      }
    }
    return undefined;
  }
}
