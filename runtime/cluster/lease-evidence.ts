/**
 * What ended leases prove. Pure. A lease ends also because nobody could renew it: after the store was away for all, whoever is back first must not
 * take the others for dead. So for a while after a return an ended lease proves something only of a boot that the bus does not hear either.
 */
import type { BootId } from "../ids.ts";

/** Renewals in the duration of a lease. */
const RENEWALS_PER_LEASE = 3;

/** When a node had answers of the store, in milliseconds on its monotonic clock. */
export interface StoreContact {
  readonly answeredAtMs: number;
  /** The first answer after a time without any in which leases may have ended. */
  readonly returnedAtMs: number;
}

/** Time from one renewal to the next, in milliseconds. */
export function renewEveryMs(leaseMs: number): number {
  return leaseMs / RENEWALS_PER_LEASE;
}

/** The contact of a node that begins now: for all it knows the store has just returned. */
export function firstContact(nowMs: number): StoreContact {
  return { answeredAtMs: nowMs, returnedAtMs: nowMs };
}

/**
 * The contact after an answer. Others may have renewed one renewal earlier than this node, so their leases may end that much before a whole lease was without
 * answers. A doubt is begun anew only by a whole lease: a store that is merely slow would keep it up for ever.
 */
export function contactAfter({ answeredAtMs, returnedAtMs }: StoreContact, nowMs: number, leaseMs: number): StoreContact {
  const silentMs = nowMs - answeredAtMs;
  const isInDoubt = nowMs < returnedAtMs + leaseMs;
  const isReturn = silentMs >= leaseMs || (!isInDoubt && silentMs >= leaseMs - renewEveryMs(leaseMs));
  return { answeredAtMs: nowMs, returnedAtMs: isReturn ? nowMs : returnedAtMs };
}

/**
 * Of the boots whose leases have ended, those that are proven to be gone: all of them, once others had a whole lease to come back; of those that the bus does
 * not hear either it is proven as soon as the time of one renewal has passed.
 */
export function provenGone(
  expired: readonly BootId[],
  { answeredAtMs, returnedAtMs }: StoreContact,
  leaseMs: number,
  isSilent: (bootId: BootId) => boolean,
): readonly BootId[] {
  const sinceMs = answeredAtMs - returnedAtMs;
  if (sinceMs >= leaseMs) return expired;
  return sinceMs >= renewEveryMs(leaseMs) ? expired.filter(isSilent) : [];
}
