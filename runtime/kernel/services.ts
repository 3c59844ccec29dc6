/**
 * What the actors of one system share. Each system has its own: two systems in one process never touch each other.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { LimitWatch } from "../limit-watch.ts";
import type { Random } from "../random.ts";
import type { ActorSignal } from "./actor.ts";
import type { Cell } from "./cell.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { MailboxPool } from "./mailbox.ts";
import type { PendingReplies } from "./pending-replies.ts";
import type { Quarantine } from "./quarantine.ts";
import type { ActorSystem } from "./system.ts";

/** What the system lane carries: a signal, or a child whose waiting messages are to be taken over. */
export type LaneItem = ActorSignal | Cell;

/** The shared parts. Only the kernel sees them. */
export interface Services {
  readonly system: ActorSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly limits: LimitWatch;
  readonly dispatcher: Dispatcher;
  readonly mailboxes: MailboxPool<LaneItem>;
  readonly replies: PendingReplies;
  readonly deadLetters: DeadLetters;
  readonly quarantine: Quarantine;
  /** Called when a top-level actor's failure was escalated. */
  readonly onEscalated: (path: string, error: unknown) => void;
  /** The actor whose handler runs right now. */
  current: Cell | undefined;
  /** Number of live actors. */
  live: number;
}
