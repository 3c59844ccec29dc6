/**
 * Addresses: all that one actor, or a caller outside, holds of another. The same interface serves local and remote actors.
 */
import type { Delivery } from "./actor.ts";

/** The address of an actor that takes messages of type `M`. It stays valid when the actor restarts; after its end it refuses. */
export interface ActorRef<M> {
  /** Where the actor is, from the root of its system: "/shards/12/0198...". */
  readonly path: string;
  /** Puts a plain-data message into the actor's mailbox, or says why not. Never throws, never waits. */
  tell(message: M): Delivery;
  /**
   * Sends the message that `message` builds around a reply address, and awaits the answer. Rejects with what the actor failed with, or with
   * MaestroError TIMED_OUT, REQUEST_CANCELLED, MAILBOX_FULL, ASKS_FULL, ACTOR_STOPPED, ACTOR_QUARANTINED, ACTOR_RESTARTED or ACTOR_DEADLOCK.
   * A message whose asker has given up before the actor took it is not handled any more.
   */
  ask<R>(message: (replyTo: ReplyTo<R>) => M, options: AskOptions): Promise<R>;
}

/** How long to wait for an answer. */
export interface AskOptions {
  /** More than 0 milliseconds. The wait ends up to 1/64 later than this, or 1 ms if that is more. */
  readonly timeoutMs: number;
  /** Ends the wait early. The message may be handled all the same. */
  readonly signal?: AbortSignal;
}

/** Where the answer to an ask goes. The first call counts; what comes later is a dead letter. May be handed on inside this system. */
export interface ReplyTo<R> {
  reply(value: R): void;
  fail(error: unknown): void;
}
