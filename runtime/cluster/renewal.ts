/**
 * Renews a boot's lease, and with each renewal learns whether anything has changed. Runs by itself: nothing that waits for a takeover, for a hand-over or for
 * a large answer may keep it. A renewal that fails is only tried again: whether this boot may write is decided by its fence, never by a lease.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Ownership, Renewed } from "../storage/ownership.ts";

/** Renewals in the duration of a lease. */
const RENEWALS_PER_LEASE = 3;
/** Time between renewals while a peer is suspected, in milliseconds: a dead node is noticed so soon after its lease has ended. */
const URGENT_EVERY_MS = 250;

/** What renewal needs. */
export interface RenewalOptions {
  readonly ownership: Pick<Ownership, "renew">;
  readonly bootId: BootId;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly events: EventHub;
  /** How busy the node is: 0 idle, 1 full. */
  load(): number;
  /** True while it is worth to look more often. */
  isUrgent(): boolean;
  /** Called with each answer. It names no expired boots while their leases prove nothing. */
  onRenewed(renewed: Renewed): void;
}

/** The renewal of one boot. */
export class Renewal {
  readonly #options: RenewalOptions;
  #cancel: CancelTimer | undefined;
  #renewing: Promise<void> | undefined;
  #renewedAtMs = 0;
  /** When the store answered last. */
  #answeredAtMs: number;
  /** A renewal has failed, or was late, since. */
  #isAway = false;
  /** Until then the leases of others are no evidence: the store was away, and nobody could renew. */
  #doubtUntilMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#answeredAtMs = options.clock.monotonic();
  }

  /** Begins, with a renewal at once. */
  start(): void {
    this.#renewNow();
  }

  /** Ends; resolves when no renewal is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#renewing;
  }

  /** Renews at the next tick if that is urgent now: see {@link RenewalOptions.isUrgent}. */
  #schedule(): void {
    if (this.#isStopped) return;
    const { clock, leaseMs, isUrgent } = this.#options;
    this.#cancel = clock.schedule(URGENT_EVERY_MS, () => {
      const isDue = clock.monotonic() - this.#renewedAtMs >= leaseMs / RENEWALS_PER_LEASE;
      if (isDue || isUrgent()) this.#renewNow();
      else this.#schedule();
    });
  }

  #renewNow(): void {
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
      this.#schedule();
    });
  }

  /** After the store was away for as long as a lease, all leases have ended, and whoever is back first must not take the others for dead. */
  #isInDoubt(): boolean {
    const { clock, leaseMs } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#answeredAtMs >= leaseMs) this.#doubtUntilMs = nowMs + leaseMs;
    this.#answeredAtMs = nowMs;
    return nowMs < this.#doubtUntilMs;
  }

  async #renew(): Promise<void> {
    const { ownership, bootId, leaseMs, clock, events, load, onRenewed } = this.#options;
    const startedAtMs = clock.monotonic();
    this.#renewedAtMs = startedAtMs;
    // A server that stands still, or that the network has forgotten, gives no answer at all.
    const cancel = clock.schedule(leaseMs, () => this.#noteFailure(`the database has not answered for ${leaseMs} ms`));
    try {
      const renewed = await ownership.renew(bootId, { leaseMs, load: load() });
      if (this.#isAway) events.emit("database.returned", { awayMs: clock.monotonic() - this.#answeredAtMs });
      this.#isAway = false;
      if (this.#isStopped) return;
      if (renewed.isMember) events.emit("lease.renewed", { durationMs: clock.monotonic() - startedAtMs });
      onRenewed(this.#isInDoubt() ? { ...renewed, expired: [] } : renewed);
    } catch (error) {
      this.#noteFailure(messageOf(error));
    } finally {
      cancel();
    }
  }

  #noteFailure(reason: string): void {
    this.#isAway = true;
    this.#options.events.emit("lease.failed", { reason });
  }
}
