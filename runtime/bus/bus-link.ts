/**
 * Keeps a bus connected: connects, watches, and when the connection is lost connects again, for ever, with growing pauses. A connection is used until it
 * fails and then thrown away, and the first one is no different from the others. Knows nothing of what travels.
 */
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";
import { Pulse } from "./pulse.ts";
import type { Wire, WireUser } from "./wire.ts";
import { within } from "./within.ts";

/** How long one step of connecting may take, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 2_000;

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 2_000;

/** One connection, open. */
export interface BusConnection {
  readonly wire: Wire;
  /** Resolves with the reason when the connection has ended. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it. Does nothing if it has ended. */
  close(): Promise<void>;
}

/** What a link needs. */
export interface BusLinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Tries to connect, once, for at most a few seconds. */
  connect(): Promise<BusConnection>;
}

/** A connection that comes back. */
export class BusLink {
  readonly #options: BusLinkOptions;
  #connection: BusConnection | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(options: BusLinkOptions) {
    this.#options = options;
  }

  /** Begins to connect, and gives `user` its wires. */
  start(user: WireUser): void {
    this.#running = this.#run(user);
  }

  /** Closes the connection; resolves when no attempt is under way either, after a few seconds at most. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#connection?.close();
    await this.#running;
  }

  async #run(user: WireUser): Promise<void> {
    const { clock } = this.#options;
    for (let failures = 0; !this.#isClosed; ) {
      const startedAtMs = clock.monotonic();
      user.detach(await this.#useOnce(user));
      // What lasted was no failure to connect; what breaks again and again is.
      failures = clock.monotonic() - startedAtMs > 2 * PAUSE_MAX_MS ? 0 : failures + 1;
      if (!this.#isClosed) await this.#pause(failures);
    }
  }

  /** Connects and stays until the connection ends; resolves with the reason. */
  async #useOnce(user: WireUser): Promise<string> {
    const { clock, random } = this.#options;
    let pulse: Pulse | undefined;
    try {
      const connection = await this.#options.connect();
      this.#connection = connection;
      if (this.#isClosed) return "it was closed";
      await within(clock, user.attach(connection.wire), CONNECT_TIMEOUT_MS, "Subscribing");
      const silence = new Promise<string>((resolve) => {
        pulse = new Pulse(clock, connection.wire, `_INBOX.${newUuid(random)}`, () => resolve("the server does not answer any more"));
      });
      return await Promise.race([connection.ended, silence]);
    } catch (error) {
      return messageOf(error);
    } finally {
      pulse?.stop();
      await this.#connection?.close();
      this.#connection = undefined;
    }
  }

  /** Waits between two attempts: twice as long after each failure, and differently long on each node. */
  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    const longestMs = Math.min(PAUSE_MIN_MS * 2 ** Math.min(failures, 16), PAUSE_MAX_MS);
    return new Promise((resolve) => {
      const cancel = clock.schedule(longestMs * (0.5 + random.fraction() / 2), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
