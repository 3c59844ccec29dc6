/**
 * What an actor is to those who write one: state that handles one message at a time, and the signals of its life.
 */
import type { ActorContext } from "./context.ts";
import type { PassivationGroup } from "./passivation.ts";
import type { ActorRef } from "./reference.ts";
import type { SupervisionPolicy } from "./supervision.ts";

/**
 * What became of a message that was told: it waits in the mailbox; the mailbox is full (try later); the actor is gone; or it is parked after
 * too many failures, until an operator releases it. All but the first also count as a dead letter.
 */
export type Delivery = "accepted" | "full" | "stopped" | "quarantined";

/** Why an actor is gone. A quarantined one may come back when it is released. */
export type TerminationReason = "stopped" | "failed" | "passivated" | "quarantined";

/** What happens to an actor, other than messages. */
export type ActorSignal =
  /** An actor that this one watches is gone. */
  | { readonly kind: "terminated"; readonly ref: ActorRef<never>; readonly reason: TerminationReason }
  /** A child has left memory. Its name is free again. `messages` reached it too late: spawn it again and tell them, or they are lost. */
  | { readonly kind: "passivated"; readonly ref: ActorRef<never>; readonly name: string; readonly messages: readonly unknown[] }
  /** The passivation group finds that this actor could leave memory: call `context.passivate()` if no work is under way. */
  | { readonly kind: "idle" }
  /** First signal of an instance that replaces one which failed with `error`, or whose sibling did. */
  | { readonly kind: "restarted"; readonly error: unknown }
  /** Last signal of an instance, after its children are gone: release what it holds. */
  | { readonly kind: "stopping" };

/**
 * A behaviour. Both methods get one call at a time: while a returned promise is pending, this actor (and no other) waits. What they throw, or
 * reject with, goes to the supervisor. One object may serve many actors if it keeps no state.
 */
export interface Actor<M> {
  receive(message: M, context: ActorContext<M>): void | Promise<void>;
  signal?(signal: ActorSignal, context: ActorContext<M>): void | Promise<void>;
}

/** Makes an instance: at the spawn, and at each restart. What it throws is a failure of the actor. */
export type ActorFactory<M> = (context: ActorContext<M>) => Actor<M>;

/** How an actor is set up. Share one object between all actors of a kind: each keeps a pointer to it. */
export interface SpawnOptions {
  /** Messages that may wait, 1 to `LIMITS.mailboxLength`, which is the default. */
  readonly mailboxLength?: number;
  /** How this actor supervises its children; the default is `supervisionPolicy()`. */
  readonly supervision?: SupervisionPolicy;
  /** The group that tells this actor when it could leave memory; without one it stays. */
  readonly passivation?: PassivationGroup;
}
