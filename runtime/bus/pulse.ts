/**
 * Shows that a wire is alive from end to end: once a second a message is published that comes back through a subscription of this node. That notices what
 * no socket tells: a server that is stopped but still connected, and subscriptions that went silent.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { Wire, WireListener } from "./wire.ts";

/** How often a message is sent, in milliseconds. */
const BEAT_EVERY_MS = 1_000;

/** Beats in a row without a sign of life after which the wire counts as dead. Two: this process itself may have been stopped for the first. */
const SILENT_BEATS = 2;

const EMPTY = new Uint8Array(0);

/** The pulse of one wire. */
export class Pulse {
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #subject: string;
  readonly #onSilent: () => void;
  readonly #listener: WireListener;
  #silentBeats = 0;
  #cancel: CancelTimer;

  /** Begins. `subject` is nobody else's; `onSilent` is called once, when the wire is dead. */
  constructor(clock: Clock, wire: Wire, subject: string, onSilent: () => void) {
    this.#clock = clock;
    this.#wire = wire;
    this.#subject = subject;
    this.#onSilent = onSilent;
    this.#listener = wire.listen(subject, undefined, () => {
      this.#silentBeats = 0;
    });
    this.#cancel = clock.schedule(BEAT_EVERY_MS, () => this.#beat());
  }

  /** Ends. */
  stop(): void {
    this.#cancel();
    this.#listener.stop();
  }

  #beat(): void {
    if (this.#silentBeats >= SILENT_BEATS) {
      this.stop();
      this.#onSilent();
      return;
    }
    this.#silentBeats++;
    this.#wire.send(this.#subject, "", EMPTY, undefined);
    this.#cancel = this.#clock.schedule(BEAT_EVERY_MS, () => this.#beat());
  }
}
