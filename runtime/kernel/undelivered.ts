/**
 * What happens to messages that an actor will not handle: the sender is told by a refusal, the asker by an error.
 */
import { MaestroError } from "../errors.ts";
import type { Delivery } from "./actor.ts";
import type { Cell } from "./cell.ts";
import { Envelope } from "./envelope.ts";
import { PendingReply } from "./pending-replies.ts";
import { accepts, Phase, type PhaseCode } from "./phase.ts";

/** When to try again after a refusal for want of room, in milliseconds. */
export const RETRY_AFTER_MS = 100;

/** A delivery that failed. */
export type Refusal = Exclude<Delivery, "accepted">;

/** Why an actor in `phase` refuses a message. */
export function refusalOf(phase: PhaseCode): Refusal {
  if (accepts(phase)) return "full";
  return phase === Phase.quarantining || phase === Phase.quarantined ? "quarantined" : "stopped";
}

/** A refusal as an asker gets it. */
export function refusalError(asked: Cell, refusal: Refusal): MaestroError {
  const facts = { actor: asked.path, queued: asked.mailboxLength };
  if (refusal === "full") return new MaestroError("MAILBOX_FULL", { facts, retryAfterMs: RETRY_AFTER_MS });
  return new MaestroError(refusal === "stopped" ? "ACTOR_STOPPED" : "ACTOR_QUARANTINED", { facts });
}

/** Makes dead letters of `mail`, which waited for `cell`. */
export function bury(cell: Cell, mail: readonly unknown[], refusal: Refusal): void {
  for (const item of mail) {
    if (item instanceof Envelope) continue;
    const asked = item instanceof PendingReply;
    cell.services.deadLetters.record(cell.path, refusal, asked ? item.message : item);
    if (asked) item.abandon(refusalError(cell, refusal));
  }
}

/** The plain messages in `mail`: what the actor's own timers and promises would have brought is left out, and so is what nobody awaits. */
export function messagesOf(mail: readonly unknown[]): readonly unknown[] {
  const kept = mail.filter((item) => !(item instanceof Envelope) && !(item instanceof PendingReply && item.isSettled));
  return kept.map((item) => (item instanceof PendingReply ? item.message : item));
}
