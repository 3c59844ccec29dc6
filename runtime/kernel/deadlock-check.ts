/**
 * Keeps who waits for whose answer, and reports circles: an event that names the actors, and an error for the ask that closed the circle.
 */
import { MaestroError } from "../errors.ts";
import type { Cell } from "./cell.ts";
import { askCycle } from "./deadlock.ts";
import type { PendingReply } from "./pending-replies.ts";

/** The present handler of `asker` has asked. Whether it awaits the answer shows when it suspends. */
export function noteAwaited(asker: Cell, pending: PendingReply): void {
  const attachments = asker.attach();
  attachments.awaited ??= new Set();
  attachments.awaited.add(pending);
  if (asker.isSuspended) checkForDeadlock(asker, [pending]);
}

/** The answer is piped: the handler does not wait for it. */
export function notePiped(asker: Cell, promise: Promise<unknown>): void {
  const awaited = asker.attachments?.awaited;
  if (awaited === undefined) return;
  for (const pending of awaited) if (pending.promise === promise) awaited.delete(pending);
}

/** Fails those of `asks`, by the suspended actor `asker`, that can't be answered because the answer waits for `asker` itself. */
export function checkForDeadlock(asker: Cell, asks: Iterable<PendingReply>): void {
  for (const pending of [...asks]) {
    const cycle = askCycle(asker, pending.asked, answersAwaitedBy);
    if (cycle === undefined) continue;
    const paths = cycle.map((cell) => cell.path);
    asker.services.events.emit("actor.deadlock", { cycle: paths });
    pending.abandon(new MaestroError("ACTOR_DEADLOCK", { facts: { cycle: paths.join(" -> ") } }));
  }
}

function answersAwaitedBy(cell: Cell): readonly Cell[] {
  const awaited = cell.attachments?.awaited;
  if (awaited === undefined || !cell.isSuspended) return [];
  return [...awaited].map((pending) => pending.asked);
}
