/**
 * What waits in a mailbox beside plain messages: a promise's outcome and a timer's message. Each is void once the instance that asked for it
 * is gone, which shows only when the actor takes it.
 */
import type { Outcome } from "./context.ts";

/** A message that may be void by the time it is taken. */
export abstract class Envelope {
  /** The life, counted from 0, of the actor that this was made for. */
  readonly incarnation: number;

  constructor(incarnation: number) {
    this.incarnation = incarnation;
  }

  /** True if it is void. */
  abstract get isVoid(): boolean;

  /** The message. May throw what the actor's own code throws. */
  abstract open(): unknown;
}

/** How a piped promise ended. */
export class PipedOutcome extends Envelope {
  readonly #outcome: Outcome<unknown>;
  readonly #toMessage: (outcome: Outcome<never>) => unknown;

  constructor(incarnation: number, outcome: Outcome<unknown>, toMessage: (outcome: Outcome<never>) => unknown) {
    super(incarnation);
    this.#outcome = outcome;
    this.#toMessage = toMessage;
  }

  override get isVoid(): boolean {
    return false;
  }

  override open(): unknown {
    return this.#toMessage(this.#outcome as Outcome<never>);
  }
}
