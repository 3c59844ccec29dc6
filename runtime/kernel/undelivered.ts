/**
 * What happens to messages that still wait when their actor goes: they become dead letters, or are taken over by its parent.
 */
import type { Cell } from "./cell.ts";
import { Envelope } from "./envelope.ts";
import { PendingReply } from "./pending-replies.ts";
import { type Refusal, refusalError } from "./refusal.ts";

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
