/**
 * Keeps a boot's lease while no membership does: renews it three times in its duration, and tells when another boot took over. A renewal that
 * fails is only tried again: whether this boot may write is decided by the fence in the journal, never by a lease that may have run out.
 */
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/errors.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import type { Ownership } from "../runtime/storage/ownership.ts";

/** Renewals in the duration of a lease. */
const RENEWALS_PER_LEASE = 3;

/** What the keeper needs. */
export interface LeaseKeeperOptions {
  readonly ownership: Pick<Ownership, "renew">;
  readonly bootId: BootId;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly events: EventHub;
  /** How busy others are told that the node is: 0 idle, 1 full. Default 0. */
  readonly load?: number;
  /** Called once, when a renewal found that this boot was fenced. */
  onLost(): void;
}

/** Renews a lease until it is stopped or the boot is fenced. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #cancel: CancelTimer | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Begins; the first renewal follows a third of a lease later, or at once if nobody knows how much of the lease is left. */
  start({ isAtOnce = false } = {}): void {
    const { clock, leaseMs } = this.#options;
    this.#cancel = clock.schedule(isAtOnce ? 0 : leaseMs / RENEWALS_PER_LEASE, () => {
      this.#renewing = this.#renew();
    });
  }

  /** Ends; resolves when no renewal is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#renewing;
  }

  async #renew(): Promise<void> {
    const { ownership, bootId, leaseMs, clock, events, load = 0, onLost } = this.#options;
    const startedAtMs = clock.monotonic();
    // A server that stands still, or that the network has forgotten, gives no answer at all.
    const cancel = clock.schedule(leaseMs, () => events.emit("lease.failed", { reason: `the database has not answered for ${leaseMs} ms` }));
    try {
      const { isMember } = await ownership.renew(bootId, { leaseMs, load });
      if (!isMember && !this.#isStopped) {
        this.#isStopped = true;
        onLost();
      } else if (isMember) events.emit("lease.renewed", { durationMs: clock.monotonic() - startedAtMs });
    } catch (error) {
      events.emit("lease.failed", { reason: messageOf(error) });
    } finally {
      cancel();
    }
    if (!this.#isStopped) this.start();
  }
}
