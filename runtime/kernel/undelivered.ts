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
    for (const pending of asked ? [item] : handedOn(item)) pending.abandon(refusalError(cell, refusal));
  }
}

/** Reply addresses in a message that was forwarded here: whoever asked would wait in vain. */
function handedOn(message: unknown): readonly PendingReply[] {
  if (typeof message !== "object" || message === null) return [];
  return Object.values(message).filter((value) => value instanceof PendingReply);
}

/**
 * The plain messages in `mail`, which waited for `cell`. What the actor's own timers and promises would have brought is left out; so is what
 * nobody awaits any more, which becomes a dead letter.
 */
export function messagesOf(cell: Cell, mail: readonly unknown[]): readonly unknown[] {
  const messages: unknown[] = [];
  for (const item of mail) {
    if (item instanceof Envelope) continue;
    if (!(item instanceof PendingReply)) messages.push(item);
    else if (item.isSettled) cell.services.deadLetters.record(cell.path, "expired", item.message);
    else messages.push(item.message);
  }
  return messages;
}
