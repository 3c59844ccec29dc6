/**
 * The event stream in memory, for tests and simulation: in order, with a memory for ids, and with the ways in which a server fails.
 */
import { subjectMatcher } from "../bus/subject.ts";
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { DUPLICATE_WINDOW_MS, type ReadOptions, type StoredMessage, type StreamListener, type StreamReader, type StreamWriter } from "./stream.ts";

/** What happens to one message: "ackLost": it is stored, and its writer never hears of it. */
export type StreamFault = "none" | "lost" | "refused" | "ackLost";

/** A stream that outlives its writers and readers. */
export class MemoryStream {
  readonly messages: StoredMessage[] = [];
  readonly #clock: Clock;
  readonly #storedAtMs = new Map<string, number>();
  readonly #writers = new Set<MemoryWriter>();
  readonly #readers = new Set<() => void>();
  /** Decides what happens to a message. */
  faultOf: (subject: string, id: string) => StreamFault = () => "none";
  #isUp = true;
  #lastSequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the stream can be reached. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** A writer. */
  openWriter(listener: StreamListener): StreamWriter {
    const writer = new MemoryWriter(this, this.#clock, listener, () => this.#writers.delete(writer));
    this.#writers.add(writer);
    this.#clock.schedule(0, () => (this.#isUp ? writer.ready() : writer.lost()));
    return writer;
  }

  /** A reader. */
  openReader(): StreamReader {
    const closed = new AbortController();
    return {
      read: (options) => this.#read({ ...options, signal: AbortSignal.any([options.signal, closed.signal]) }),
      close: async () => closed.abort(),
    };
  }

  /** Takes the stream away from everybody. */
  stop(): void {
    this.#isUp = false;
    for (const writer of this.#writers) writer.lost();
  }

  /** Brings it back; `isWiped`: with nothing of what it had stored. */
  start(isWiped = false): void {
    if (isWiped) {
      this.messages.length = 0;
      this.#storedAtMs.clear();
      this.#lastSequence = 0;
    }
    this.#isUp = true;
    for (const writer of this.#writers) this.#clock.schedule(0, () => (this.#isUp ? writer.ready() : undefined));
    this.#wake();
  }

  /** For writers: stores a message unless its id is known. */
  store(subject: string, id: string, text: string): void {
    const nowMs = this.#clock.now();
    const knownMs = this.#storedAtMs.get(id);
    if (knownMs !== undefined && knownMs + DUPLICATE_WINDOW_MS > nowMs) return;
    this.#storedAtMs.set(id, nowMs);
    this.messages.push({ sequence: ++this.#lastSequence, storedAtMs: nowMs, subject, id, text });
    this.#wake();
  }

  async *#read({ start, subject, signal, stopsAtEnd = false }: ReadOptions): AsyncGenerator<StoredMessage, void, undefined> {
    if (!this.#isUp) throw new MaestroError("EVENTS_UNAVAILABLE", { facts: { address: "memory", reason: "the stream is away" } });
    const matches = subjectMatcher(subject);
    const lastAtStart = this.#lastSequence;
    let next = start === "new" ? lastAtStart + 1 : "sequence" in start ? start.sequence : this.#sequenceAt(start.timeMs);
    while (!signal.aborted) {
      if (this.#lastSequence + 1 < next) next = 1;
      const message = this.#isUp ? this.messages.find(({ sequence }) => sequence >= next) : undefined;
      if (stopsAtEnd && (message === undefined || message.sequence > lastAtStart)) return;
      if (message === undefined) await this.#changed(signal);
      else {
        next = message.sequence + 1;
        if (matches(message.subject)) yield message;
      }
    }
  }

  #sequenceAt(timeMs: number): number {
    return this.messages.find(({ storedAtMs }) => storedAtMs >= timeMs)?.sequence ?? this.#lastSequence + 1;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#readers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#readers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#readers]) wake();
  }
}

class MemoryWriter implements StreamWriter {
  readonly #stream: MemoryStream;
  readonly #clock: Clock;
  readonly #listener: StreamListener;
  readonly #forget: () => void;
  #connection = 0;
  #isClosed = false;

  constructor(stream: MemoryStream, clock: Clock, listener: StreamListener, forget: () => void) {
    this.#stream = stream;
    this.#clock = clock;
    this.#listener = listener;
    this.#forget = forget;
  }

  ready(): void {
    this.#connection += 1;
    if (!this.#isClosed) this.#listener.onReady();
  }

  lost(): void {
    this.#connection += 1;
    if (!this.#isClosed) this.#listener.onLost("the stream is away");
  }

  send(token: number, subject: string, id: string, text: string): void {
    const connection = this.#connection;
    const fault = this.#stream.isUp && !this.#isClosed ? this.#stream.faultOf(subject, id) : "lost";
    if (fault === "lost") return;
    if (fault !== "refused") this.#stream.store(subject, id, text);
    if (fault === "ackLost") return;
    this.#clock.schedule(0, () => {
      if (this.#isClosed || connection !== this.#connection) return;
      if (fault === "refused") this.#listener.onRefused(token, "refused by a fault");
      else this.#listener.onStored(token);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forget();
  }
}
