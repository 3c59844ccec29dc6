/**
 * Messages that nobody will handle: counted by reason, the latest described for inspection, and reported by an event that is throttled, so that
 * a flood costs nothing. Messages themselves are not kept: they may be large, and they may be secret.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { LIMITS } from "../limits.ts";
import { Ring } from "./ring.ts";

/** At most one event per reason in this time. */
const EVENT_EVERY_MS = 1_000;

/** Why a message was not handled. */
export type DeadReason = "stopped" | "quarantined" | "full" | "passivated" | "expired" | "late-reply" | "stash-full";

/** A message that was not handled. */
export interface DeadLetter {
  /** The actor it was for; for a late reply, the actor that was asked. */
  readonly path: string;
  readonly reason: DeadReason;
  /** The message's `kind` or `type` if it has one, or else its JavaScript type. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

interface Tally {
  count: number;
  suppressed: number;
  nextEventMs: number;
}

/** The dead letters of one actor system. */
export class DeadLetters {
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #latest = new Ring<DeadLetter>();
  readonly #tallies = new Map<DeadReason, Tally>();

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Notes a message that will not be handled. */
  record(path: string, reason: DeadReason, message: unknown): void {
    if (this.#latest.length === LIMITS.deadLetters) this.#latest.shift();
    this.#latest.push({ path, reason, message: describe(message), atMs: this.#clock.now() });
    this.#report(path, reason);
  }

  /** How many there were, of one reason or of all. */
  count(reason?: DeadReason): number {
    if (reason !== undefined) return this.#tallies.get(reason)?.count ?? 0;
    return [...this.#tallies.values()].reduce((sum, tally) => sum + tally.count, 0);
  }

  /** The latest, oldest first, at most `LIMITS.deadLetters`. */
  list(): readonly DeadLetter[] {
    const letters: DeadLetter[] = [];
    for (let left = this.#latest.length; left > 0; left--) {
      const letter = this.#latest.shift() as DeadLetter;
      letters.push(letter);
      this.#latest.push(letter);
    }
    return letters;
  }

  #report(path: string, reason: DeadReason): void {
    const nowMs = this.#clock.monotonic();
    const tally = this.#tallies.get(reason) ?? { count: 0, suppressed: 0, nextEventMs: nowMs };
    this.#tallies.set(reason, tally);
    tally.count++;
    if (nowMs < tally.nextEventMs) {
      tally.suppressed++;
      return;
    }
    const suppressed = tally.suppressed;
    tally.suppressed = 0;
    tally.nextEventMs = nowMs + EVENT_EVERY_MS;
    this.#events.emit("message.dead", { path, reason, suppressed });
  }
}

function describe(message: unknown): string {
  if (typeof message !== "object" || message === null) return message === null ? "null" : typeof message;
  const { kind, type } = message as { kind?: unknown; type?: unknown };
  if (typeof kind === "string") return kind;
  return typeof type === "string" ? type : "object";
}
