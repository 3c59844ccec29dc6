/**
 * Death watch: who wants to know of whose end. Both sides keep a set, so that either may end first.
 */
import { invariant } from "../assert.ts";
import type { TerminationReason } from "./actor.ts";
import type { Watcher } from "./attachments.ts";
import type { Cell } from "./cell.ts";
import { Phase } from "./phase.ts";

/** `watcher` wants to know of the end of `target`. If that has ended, or is quarantined, it learns it at once. */
export function watch(watcher: Watcher, target: Cell): void {
  const phase = target.life.phase;
  if (phase === Phase.terminated || phase === Phase.quarantined) {
    tellEnd(watcher, target, phase === Phase.quarantined ? "quarantined" : target.life.reason);
    return;
  }
  const attachments = target.attach();
  attachments.watchers ??= new Set();
  attachments.watchers.add(watcher);
  if (typeof watcher === "function") return;
  invariant(watcher.services === target.services, "an actor can watch actors of its own system only");
  const own = watcher.attach();
  own.watching ??= new Set();
  own.watching.add(target);
}

/** `watcher` does not want to know any more. */
export function unwatch(watcher: Cell, target: Cell): void {
  target.attachments?.watchers?.delete(watcher);
  watcher.attachments?.watching?.delete(target);
}

/** Tells all who watch `cell` that it has ended. */
export function announceEnd(cell: Cell, reason: TerminationReason): void {
  const watchers = cell.attachments?.watchers;
  if (watchers === undefined) return;
  for (const watcher of [...watchers]) {
    watchers.delete(watcher);
    if (typeof watcher !== "function") watcher.attachments?.watching?.delete(cell);
    tellEnd(watcher, cell, reason);
  }
}

/** `cell` has ended: nobody needs to tell it anything. */
export function forgetWatched(cell: Cell): void {
  for (const target of cell.attachments?.watching ?? []) target.attachments?.watchers?.delete(cell);
}

function tellEnd(watcher: Watcher, target: Cell, reason: TerminationReason): void {
  if (typeof watcher === "function") watcher(reason);
  else watcher.deliverSignal({ kind: "terminated", ref: target.self, reason });
}
