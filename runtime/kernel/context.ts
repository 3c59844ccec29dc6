/**
 * What a handler may do. A context belongs to one actor and is valid for as long as the actor lives.
 */
import type { ActorFactory, Delivery, SpawnOptions } from "./actor.ts";
import type { ActorRef, AskOptions, ReplyTo } from "./reference.ts";
import type { ActorSystem } from "./system.ts";

/** How a promise ended. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** The world as an actor with messages of type `M` sees it. */
export interface ActorContext<M> {
  readonly self: ActorRef<M>;
  /** Name among its siblings. */
  readonly name: string;
  readonly path: string;
  /** Undefined for a top-level actor. */
  readonly parent: ActorRef<never> | undefined;
  readonly system: ActorSystem;

  /** Starts a child. Throws InvariantBroken if the name is empty, holds "/" or is taken, and ACTOR_STOPPED if this actor is on its way out. */
  spawn<C>(name: string, factory: ActorFactory<C>, options?: SpawnOptions): ActorRef<C>;
  /** The child of that name that is alive or quarantined. The caller answers for `C`. */
  child<C>(name: string): ActorRef<C> | undefined;
  /** All children, in the order of their spawning. */
  children(): readonly ActorRef<never>[];
  /** Stops a child, or without an argument this actor, once it has handled its present message. What waits becomes dead letters. */
  stop(child?: ActorRef<never>): void;

  /** Asks for a "terminated" signal when `ref` is gone; comes at once if it is gone already. Survives restarts of both. */
  watch(ref: ActorRef<never>): void;
  /** Takes {@link watch} back. A signal that is under way may still come. */
  unwatch(ref: ActorRef<never>): void;

  /**
   * Like `ref.ask`, and says who asks: lets a deadlock be found also when the call is made after an `await`. A plain `ref.ask` made
   * before the first `await` of a handler is found as well.
   */
  ask<N, R>(ref: ActorRef<N>, message: (replyTo: ReplyTo<R>) => N, options: AskOptions): Promise<R>;
  /**
   * Keeps the message that is being handled for later. "full" if `LIMITS.stashLength` are kept: then it is a dead letter, and if it was asked, the
   * ask fails.
   */
  stash(message: M): Delivery;
  /** Puts what was stashed back in front of the mailbox, in its order. A restart does so too. */
  unstashAll(): void;
  /** Delivers `message` in `delayMs`. A second timer with the same key replaces the first. Timers end with the instance. */
  setTimer(key: string, delayMs: number, message: M): void;
  /** Cancels a timer. Its message will not come, even if it waits in the mailbox. */
  clearTimer(key: string): void;
  /** Delivers what `toMessage` makes of the promise's outcome, also when the mailbox is full. Dropped if the instance is gone by then. */
  pipe<T>(promise: Promise<T>, toMessage: (outcome: Outcome<T>) => M): void;
  /**
   * Leaves memory once the present message is handled. What arrives meanwhile is handed to the parent with the "passivated" signal. Returns
   * false, and does nothing, if work waits here: messages, stash, awaited outcomes, or asks without answer.
   */
  passivate(): boolean;
}
