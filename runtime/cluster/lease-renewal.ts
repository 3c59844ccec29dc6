/**
 * Renews a boot's lease for its whole life, from its join to its end: also while it starts, and while it stops, which may take longer than a lease.
 * Learns with each renewal whether anything has changed and what the store's clock shows, and tells all stores when the database is back. Runs by
 * itself: nothing that waits for a takeover, for a hand-over or for a large answer may keep it. A renewal that fails is only tried again: whether
 * this boot may write is decided by its fence, never by a lease.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Ownership, Renewed } from "../storage/ownership.ts";
import { ClockWatch } from "./clock-watch.ts";
import { contactAfter, firstContact, provenGone, renewEveryMs, type StoreContact } from "./lease-evidence.ts";

/** While the store is away it is asked so many times as often. */
const AWAY_TIMES = 2;
/** Time between renewals while a peer is suspected, in milliseconds: a dead node is noticed so soon after its lease has ended. */
const URGENT_EVERY_MS = 250;

/** Who wants to know what renewals tell, and has a say in when they are done: the membership in a cluster. */
export interface LeaseRenewalListener {
  /** How busy the node is: 0 idle, 1 full. */
  load(): number;
  /** True while it is worth to look more often. */
  isUrgent(): boolean;
  /** True if a peer was not heard for a while on a bus that works. */
  isSilent(bootId: BootId): boolean;
  /** Called with each answer. It names as expired only boots that are proven to be gone. */
  onRenewed(renewed: Renewed): void;
}

/** What renewal needs. */
export interface LeaseRenewalOptions {
  readonly ownership: Pick<Ownership, "renew">;
  readonly bootId: BootId;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly events: EventHub;
  /** Called once, when a renewal found that this boot was fenced: it must stop. There are no more renewals by then. */
  onLost(): void;
}

/** Of a boot without a cluster, or one that does not take part in it yet. */
const NOBODY: LeaseRenewalListener = { load: () => 0, isUrgent: () => false, isSilent: () => false, onRenewed: () => undefined };
/** Of a boot that takes no part in its cluster any more: nobody is to begin anything here. */
const ENDING: LeaseRenewalListener = { ...NOBODY, load: () => 1 };

/** The renewal of one boot. */
export class LeaseRenewal {
  readonly #options: LeaseRenewalOptions;
  readonly #clockWatch: ClockWatch;
  #listener = NOBODY;
  #cancel: CancelTimer | undefined;
  #renewing: Promise<void> | undefined;
  #renewedAtMs: number;
  #contact: StoreContact;
  /** A renewal has failed, or was late, since the store answered last. */
  #isAway = false;
  /** There are ended leases that prove nothing yet. */
  #isInDoubt = false;
  #isStopped = false;

  constructor(options: LeaseRenewalOptions) {
    this.#options = options;
    this.#clockWatch = new ClockWatch(options);
    this.#renewedAtMs = options.clock.monotonic();
    this.#contact = firstContact(this.#renewedAtMs);
  }

  /** Begins; the lease is that of a boot which has joined just now. */
  start(): void {
    this.#schedule();
  }

  /** Tells, and asks, this one from now on. Undefined: nobody any more, and others are told that the node is busy until it has ended. */
  listen(listener: LeaseRenewalListener | undefined): void {
    this.#listener = listener ?? ENDING;
  }

  /** Ends; resolves when no renewal is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#renewing;
  }

  /** Renews at the next tick if that is urgent now: see {@link LeaseRenewalListener.isUrgent}. Somebody may be about to be proven gone, too. */
  #schedule(): void {
    if (this.#isStopped) return;
    const { clock, leaseMs } = this.#options;
    this.#cancel = clock.schedule(URGENT_EVERY_MS, () => {
      const isDue = clock.monotonic() - this.#renewedAtMs >= renewEveryMs(leaseMs) / (this.#isAway ? AWAY_TIMES : 1);
      if (isDue || this.#isInDoubt || this.#listener.isUrgent()) this.#renewNow();
      else this.#schedule();
    });
  }

  #renewNow(): void {
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
      this.#schedule();
    });
  }

  /** The answer without those whose ended leases prove nothing yet. */
  #judge(renewed: Renewed): Renewed {
    const { clock, leaseMs } = this.#options;
    this.#contact = contactAfter(this.#contact, clock.monotonic(), leaseMs);
    const expired = provenGone(renewed.expired, this.#contact, leaseMs, (bootId) => this.#listener.isSilent(bootId));
    this.#isInDoubt = expired.length < renewed.expired.length;
    return { ...renewed, expired };
  }

  async #renew(): Promise<void> {
    const { ownership, bootId, leaseMs, clock, events } = this.#options;
    const startedAtMs = clock.monotonic();
    this.#renewedAtMs = startedAtMs;
    // A server that stands still, or that the network has forgotten, gives no answer at all.
    const cancel = clock.schedule(leaseMs, () => this.#noteFailure(`the database has not answered for ${leaseMs} ms`));
    try {
      const answered = this.#clockWatch.asking();
      const renewed = await ownership.renew(bootId, { leaseMs, load: this.#listener.load() });
      if (renewed.isMember) answered(renewed.storeTimeMs);
      if (this.#isAway) events.emit("database.returned", { awayMs: clock.monotonic() - this.#contact.answeredAtMs });
      this.#isAway = false;
      if (this.#isStopped) return;
      if (renewed.isMember) events.emit("lease.renewed", { durationMs: clock.monotonic() - startedAtMs });
      this.#listener.onRenewed(this.#judge(renewed));
      if (!renewed.isMember) this.#lose();
    } catch (error) {
      this.#noteFailure(messageOf(error));
    } finally {
      cancel();
    }
  }

  #lose(): void {
    this.#isStopped = true;
    this.#options.onLost();
  }

  #noteFailure(reason: string): void {
    this.#isAway = true;
    this.#options.events.emit("lease.failed", { reason });
  }
}
