/**
 * From joining to taking part. A node that joins others is given no shards at first, so that a start that hangs leaves none without an owner. It says
 * that it has started once it acts, and hears one of the others on the bus: with a bus of its own, or another cluster's name, it would have runs that
 * nobody could reach.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Ownership } from "../storage/ownership.ts";
import type { Heartbeats } from "./heartbeats.ts";

/** A node that has heard nobody for so long since it began says so, in milliseconds. */
const UNHEARD_AFTER_MS = 2_000;

/** What an arrival needs. */
export interface ArrivalOptions {
  readonly ownership: Pick<Ownership, "announce">;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly heartbeats: Pick<Heartbeats, "hearsAny">;
  /** False: the boot got all shards as it joined, and takes part already. */
  readonly isUnderWay: boolean;
}

/** The arrival of one boot. */
export class Arrival {
  readonly #options: ArrivalOptions;
  #isUnderWay: boolean;
  #beganAtMs = Number.POSITIVE_INFINITY;
  #isUnheard = false;

  constructor(options: ArrivalOptions) {
    this.#options = options;
    this.#isUnderWay = options.isUnderWay;
  }

  /** True until the others were told, or {@link end}. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** The node can act for shards from now on. */
  begin(): void {
    this.#beganAtMs = this.#options.clock.monotonic();
  }

  /** Tells the cluster, if one of these other members is heard, or there are none; true if it was told. Rejects if the ownership can't be told. */
  async announce(peers: readonly BootId[]): Promise<boolean> {
    const { ownership, bootId, events, heartbeats } = this.#options;
    if (peers.length > 0 && !heartbeats.hearsAny(peers)) {
      this.#noteUnheard(peers.length);
      return false;
    }
    await ownership.announce(bootId, { hasStarted: true });
    if (this.#isUnheard) events.emit("cluster.heard", {});
    this.end();
    return true;
  }

  /** Ends without a word: the node is about to leave. */
  end(): void {
    this.#isUnderWay = false;
  }

  #noteUnheard(peers: number): void {
    const { clock, events } = this.#options;
    if (this.#isUnheard || clock.monotonic() - this.#beganAtMs < UNHEARD_AFTER_MS) return;
    this.#isUnheard = true;
    events.emit("cluster.unheard", { peers });
  }
}
