/**
 * Why an actor does not take a message: what a sender gets as a delivery, and an asker as an error.
 */
import { MaestroError } from "../errors.ts";
import type { Delivery } from "./actor.ts";
import type { Cell } from "./cell.ts";
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
