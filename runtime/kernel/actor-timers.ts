/**
 * The timers of one actor, by key. A timer that was cleared or replaced delivers nothing, even if its message is already in the mailbox.
 */
import { invariant } from "../assert.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { LIMITS } from "../limits.ts";
import { Envelope } from "./envelope.ts";

/** The message of a timer. */
class TimerMessage extends Envelope {
  readonly key: string;
  readonly #message: unknown;
  readonly #timers: ActorTimers;
  cancel: CancelTimer | undefined = undefined;

  constructor(incarnation: number, timers: ActorTimers, key: string, message: unknown) {
    super(incarnation);
    this.#timers = timers;
    this.key = key;
    this.#message = message;
  }

  override get isVoid(): boolean {
    return !this.#timers.has(this);
  }

  override open(): unknown {
    this.#timers.forget(this.key);
    return this.#message;
  }
}

/** At most `LIMITS.actorTimers` timers. */
export class ActorTimers {
  readonly #entries = new Map<string, TimerMessage>();

  /** Sets the timer `key`, instead of the one there is; `deliver` gets its envelope when it is due. Throws InvariantBroken above the limit. */
  set(clock: Clock, incarnation: number, key: string, delayMs: number, message: unknown, deliver: (envelope: Envelope) => void): void {
    this.clear(key);
    invariant(this.#entries.size < LIMITS.actorTimers, `an actor may set at most ${LIMITS.actorTimers} timers`);
    const envelope = new TimerMessage(incarnation, this, key, message);
    this.#entries.set(key, envelope);
    envelope.cancel = clock.schedule(delayMs, () => deliver(envelope));
  }

  /** Cancels the timer `key` if there is one. */
  clear(key: string): void {
    this.#entries.get(key)?.cancel?.();
    this.#entries.delete(key);
  }

  /** Cancels all. */
  clearAll(): void {
    for (const envelope of this.#entries.values()) envelope.cancel?.();
    this.#entries.clear();
  }

  /** For the timers' messages: true if `envelope` was neither cleared nor replaced. */
  has(envelope: TimerMessage): boolean {
    return this.#entries.get(envelope.key) === envelope;
  }

  /** For the timers' messages: `key` was delivered. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}
