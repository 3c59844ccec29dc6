/**
 * What only some actors have, some of the time: kept apart so that an idle actor costs nothing for it.
 */
import type { CancelTimer } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import type { TerminationReason } from "./actor.ts";
import type { ActorTimers } from "./actor-timers.ts";
import type { Cell } from "./cell.ts";
import type { PendingReply } from "./pending-replies.ts";
import type { RestartTimes } from "./restart-window.ts";

/** Who learns of an actor's end: another actor, or a function for callers outside. */
export type Watcher = Cell | ((reason: TerminationReason) => void);

/** The rarely used parts of one actor. Owned and written by the kernel's files about the cell. */
export class Attachments {
  watchers: Set<Watcher> | undefined = undefined;
  /** Actors that this one watches. */
  watching: Set<Cell> | undefined = undefined;
  timers: ActorTimers | undefined = undefined;
  stash: unknown[] | undefined = undefined;
  /** Piped promises whose outcome was not handled yet. */
  pipes = 0;
  /** Asks that this instance took and did not answer yet. */
  unanswered: Set<PendingReply> | undefined = undefined;
  /** Asks whose answer the present handler waits for. */
  awaited: Set<PendingReply> | undefined = undefined;
  restartTimes: RestartTimes = [];
  cancelBackoff: CancelTimer | undefined = undefined;
  /** What was thrown last; undefined if nothing was. */
  failure: unknown = undefined;
  /** Why the actor ends, if it does. */
  reason: TerminationReason = "stopped";
  /** True while an "idle" signal waits. */
  idleSuggested = false;

  /** True if work waits for this instance. */
  get hasWork(): boolean {
    return this.pipes > 0 || (this.stash?.length ?? 0) > 0 || (this.unanswered?.size ?? 0) > 0;
  }

  /** The instance of the actor at `path` ends: nothing that it set in motion reaches the next one, and asks that it took fail. Returns the stash. */
  endInstance(path: string, code: "ACTOR_RESTARTED" | "ACTOR_STOPPED" | "ACTOR_QUARANTINED"): readonly unknown[] {
    this.timers?.clearAll();
    this.pipes = 0;
    this.awaited?.clear();
    this.cancelBackoff?.();
    this.cancelBackoff = undefined;
    for (const pending of [...(this.unanswered ?? [])]) pending.abandon(new MaestroError(code, { facts: { actor: path } }));
    const stash = this.stash ?? [];
    this.stash = undefined;
    return stash;
  }
}
