/**
 * What waits for one actor: a system lane (signals) that is served before the user lane (messages). The user lane is bounded by its owner's
 * limit. The system lane needs no limit of its own: each signal stands for a watched or passivated actor, or is kept at most once.
 */
import { Ring } from "./ring.ts";

/** Empty mailboxes that one pool keeps for reuse. */
const POOLED_MAILBOXES = 1_024;

/** Two queues. `S` is the type of what the system lane carries. */
export class Mailbox<S> {
  readonly #user = new Ring<unknown>();
  #system: Ring<S> | undefined;
  #isFilling = false;

  /** Messages in the user lane. */
  get messages(): number {
    return this.#user.length;
  }

  /** Signals in the system lane. */
  get signals(): number {
    return this.#system === undefined ? 0 : this.#system.length;
  }

  /** True if nothing waits in either lane. */
  get isEmpty(): boolean {
    return this.#user.length === 0 && this.signals === 0;
  }

  /** Adds a message at the end of the user lane, or returns false if `limit` messages wait already. */
  offer(message: unknown, limit: number): boolean {
    if (this.#user.length >= limit) return false;
    this.#user.push(message);
    return true;
  }

  /** True once when more than half of `limit` messages wait, and again only after the mailbox was given back to its pool. */
  startsToFill(limit: number): boolean {
    if (this.#isFilling || this.#user.length * 2 <= limit) return false;
    this.#isFilling = true;
    return true;
  }

  /** It is empty and begins anew. */
  reset(): void {
    this.#isFilling = false;
  }

  /** Adds a message that the actor made room for beforehand (a piped outcome, a timer): its number is bounded where it is created. */
  pushReserved(message: unknown): void {
    this.#user.push(message);
  }

  /** Puts messages back in front of all others, keeping their order. */
  putBack(messages: readonly unknown[]): void {
    for (let index = messages.length - 1; index >= 0; index--) this.#user.unshift(messages[index]);
  }

  /** Adds a signal at the end of the system lane. */
  pushSignal(signal: S): void {
    this.#system ??= new Ring<S>();
    this.#system.push(signal);
  }

  /** The next message. Ask `messages` first: undefined may be a message. */
  takeMessage(): unknown {
    return this.#user.shift();
  }

  /** The next signal, or undefined. */
  takeSignal(): S | undefined {
    return this.#system?.shift();
  }
}

/** Lends mailboxes to actors that have mail, so that an idle actor needs none. */
export class MailboxPool<S> {
  readonly #free: Mailbox<S>[] = [];

  /** An empty mailbox. */
  take(): Mailbox<S> {
    return this.#free.pop() ?? new Mailbox<S>();
  }

  /** Takes an empty mailbox back. */
  giveBack(mailbox: Mailbox<S>): void {
    mailbox.reset();
    if (this.#free.length < POOLED_MAILBOXES) this.#free.push(mailbox);
  }
}
