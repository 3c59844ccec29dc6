/**
 * Reads the event stream in JetStream by asking for a few messages at a time. A request has an end that the server keeps to, so silence is noticed; then,
 * and after each loss of the connection, reading goes on with a new consumer where the last message was. Nothing is pushed: who reads slowly is waited for.
 */
import type { Frame, Wire, WireUser } from "../bus/wire.ts";
import type { Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import { newUuid } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import { consumerRequest, JETSTREAM, nextRequest, placeOf, timedConsumerRequest } from "./jetstream-api.ts";
import type { JetStreamLink } from "./jetstream-link.ts";
import type { ReadOptions, StoredMessage, StreamReader } from "./stream.ts";

/** How long the server keeps a request for messages open, in milliseconds, and how much longer it is given before it counts as silent. */
const PULL_MS = 5_000;
const SILENCE_MS = 2_000;
/** How long a reading that begins waits for the stream. */
const FIRST_WAIT_MS = 3_000;
const RETRY_MS = 250;

/** What a reader needs. */
export interface JetStreamReaderOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** For people. */
  readonly address: string;
  /** A link that has not been started. */
  makeLink(onReady: () => void, onLost: (reason: string) => void): JetStreamLink;
  start(user: WireUser): void;
  stop(): Promise<void>;
}

/** The reader. */
export class JetStreamReader implements StreamReader {
  readonly #options: JetStreamReaderOptions;
  readonly #link: JetStreamLink;
  readonly #closed = new AbortController();
  readonly #waiting = new Set<() => void>();
  #reason = "not connected yet";
  #isStarted = false;

  constructor(options: JetStreamReaderOptions) {
    this.#options = options;
    this.#link = options.makeLink(
      () => this.#wake(),
      (reason) => {
        this.#reason = reason;
        this.#wake();
      },
    );
  }

  async *read({ start, subject, signal, stopsAtEnd = false }: ReadOptions): AsyncGenerator<StoredMessage, void, undefined> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    let place = { next: 0, last: Number.POSITIVE_INFINITY };
    await this.#untilReady(ended);
    while (!ended.aborted) {
      try {
        if (place.next === 0) place = await this.#begin({ start, subject, stopsAtEnd }, ended);
        else await this.#checkPlace(place);
        if (place.next > place.last) return;
        for await (const message of this.#follow(subject, place.next, stopsAtEnd, ended)) {
          if (message.sequence > place.last) return;
          yield message;
          place.next = message.sequence + 1;
        }
        if (stopsAtEnd) return;
      } catch (error) {
        this.#reason = messageOf(error);
        await this.#pause(RETRY_MS, ended);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#wake();
    if (this.#isStarted) await this.#options.stop();
  }

  /** Where reading begins, and where it ends if it does. */
  async #begin({ start, subject, stopsAtEnd }: Omit<ReadOptions, "signal">, ended: AbortSignal): Promise<{ next: number; last: number }> {
    const { state } = await this.#link.ask(JETSTREAM.streamInfo, {});
    const last = stopsAtEnd ? (state?.last_seq ?? 0) : Number.POSITIVE_INFINITY;
    if (start === "new") return { next: (state?.last_seq ?? 0) + 1, last };
    if ("sequence" in start) return { next: Math.max(1, Math.min(start.sequence, (state?.last_seq ?? 0) + 1)), last };
    return { next: (await this.#sequenceAt(subject, start.timeMs, ended)) ?? (state?.last_seq ?? 0) + 1, last };
  }

  /** The number of the first message from a time on; undefined if JetStream says that there is none. @throws Error there is one, and it does not come */
  async #sequenceAt(subject: string, timeMs: number, ended: AbortSignal): Promise<number | undefined> {
    const { name = "", num_pending } = await this.#link.ask(JETSTREAM.createConsumer, timedConsumerRequest(subject, timeMs));
    if (num_pending === 0) return undefined;
    for await (const message of this.#pullOnce(name, 1, PULL_MS, ended)) return message.sequence;
    throw new Error("JetStream does not say where the time is");
  }

  /** A stream that lost everything counts from 1 again: then all that is there is new. */
  async #checkPlace(place: { next: number }): Promise<void> {
    const { state } = await this.#link.ask(JETSTREAM.streamInfo, {});
    if (state !== undefined && state.last_seq + 1 < place.next) place.next = 1;
  }

  /** The messages of a new consumer, until it fails or goes silent, or has none if only those are wanted that are there. */
  async *#follow(subject: string, sequence: number, stopsAtEnd: boolean, ended: AbortSignal): AsyncGenerator<StoredMessage, void, undefined> {
    const { name } = await this.#link.ask(JETSTREAM.createConsumer, consumerRequest(subject, sequence));
    if (name === undefined) throw new Error("JetStream gave a consumer without a name");
    for (let isAtEnd = false; !ended.aborted && !(stopsAtEnd && isAtEnd); ) {
      isAtEnd = yield* this.#pullOnce(name, LIMITS.streamReadAhead, stopsAtEnd ? 0 : PULL_MS, ended);
    }
  }

  /** One request for messages, what it brings, and whether that was all. @throws Error if the server says that there will be no more, or nothing at all. */
  async *#pullOnce(consumer: string, count: number, expiresMs: number, ended?: AbortSignal): AsyncGenerator<StoredMessage, boolean, undefined> {
    const { wire } = this.#link;
    if (wire === undefined) throw new Error(this.#reason);
    const pull = new Pull(wire, this.#options, count);
    const wake = (): void => pull.wake();
    this.#waiting.add(wake);
    ended?.addEventListener("abort", wake, { once: true });
    try {
      pull.ask(consumer, expiresMs);
      while (ended?.aborted !== true) {
        const message = pull.take();
        if (message !== undefined) yield message;
        else if (pull.isOver) break;
        else if (this.#link.wire !== wire) throw new Error(this.#reason);
        else await pull.changed(expiresMs + SILENCE_MS);
      }
      return pull.isExpired;
    } finally {
      ended?.removeEventListener("abort", wake);
      this.#waiting.delete(wake);
      pull.stop();
    }
  }

  async #untilReady(ended: AbortSignal): Promise<void> {
    if (!this.#isStarted && !this.#closed.signal.aborted) {
      this.#isStarted = true;
      this.#options.start(this.#link);
    }
    const endMs = this.#options.clock.monotonic() + FIRST_WAIT_MS;
    while (this.#link.wire === undefined && !ended.aborted) {
      const leftMs = endMs - this.#options.clock.monotonic();
      if (leftMs <= 0) throw new MaestroError("EVENTS_UNAVAILABLE", { facts: { address: this.#options.address, reason: this.#reason } });
      await this.#pause(leftMs, ended);
    }
  }

  /** Resolves after a time, or when something has changed. */
  #pause(durationMs: number, ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        ended.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#options.clock.schedule(durationMs, done);
      this.#waiting.add(done);
      ended.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** One request for messages. */
class Pull {
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #inbox: string;
  readonly #listener: { stop(): void };
  readonly #messages: StoredMessage[] = [];
  #missing: number;
  #failure: Error | undefined;
  /** The server has no more for now. */
  isExpired = false;
  #wake: (() => void) | undefined;

  constructor(wire: Wire, { clock, random }: { readonly clock: Clock; readonly random: Random }, count: number) {
    this.#clock = clock;
    this.#wire = wire;
    this.#missing = count;
    this.#inbox = `_INBOX.${newUuid(random)}`;
    this.#listener = wire.listen(this.#inbox, undefined, (frame) => this.#receive(frame));
  }

  /** True if nothing more will come. */
  get isOver(): boolean {
    return this.#missing === 0 || this.isExpired;
  }

  /** Sends the request. */
  ask(consumer: string, expiresMs: number): void {
    this.#wire.send(JETSTREAM.next(consumer), this.#inbox, Buffer.from(JSON.stringify(nextRequest(this.#missing, expiresMs))), undefined);
  }

  /** The next message that has come, if there is one. @throws Error the server ended the request otherwise than in order. */
  take(): StoredMessage | undefined {
    const message = this.#messages.shift();
    if (message === undefined && this.#failure !== undefined) throw this.#failure;
    return message;
  }

  /** Resolves when something has come, or was woken. Fails the request if nothing did in time. */
  changed(silenceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(silenceMs, () => {
        this.#failure = new Error("the consumer went silent");
        this.wake();
      });
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Ends the wait. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  stop(): void {
    this.#listener.stop();
  }

  #receive(frame: Frame): void {
    const place = frame.status === 0 ? placeOf(frame.reply) : undefined;
    if (place !== undefined) {
      this.#missing -= 1;
      this.#messages.push({ ...place, subject: frame.subject, id: frame.headers["Nats-Msg-Id"] ?? "", text: Buffer.from(frame.payload).toString() });
    } else if (frame.status === STATUS.expired || frame.status === STATUS.nothing) this.isExpired = true;
    else if (frame.status !== STATUS.heartbeat) this.#failure = new Error(`the consumer ended (${frame.status})`);
    this.wake();
  }
}

/** Words of the server in answer to a request for messages. */
const STATUS = Object.freeze({ heartbeat: 100, nothing: 404, expired: 408 });
