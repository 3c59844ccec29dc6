/**
 * The port of the event stream: messages that are stored in order and read again from anywhere. Who writes gives each message an id; a message whose id was
 * stored within {@link DUPLICATE_WINDOW_MS} before is acknowledged and not stored again, so that sending again is harmless.
 *
 * It may be away for any time, and may lose what it stored. Every adapter passes `test/conformance/stream.ts`.
 */

/**
 * For how long a stream remembers the ids of its messages, in milliseconds. Each costs nats-server some 300 bytes: at 2,000 events a second these are 70 MB
 * (measured with 2.9, 400 bytes an event).
 */
export const DUPLICATE_WINDOW_MS = 120_000;

/** Hears what becomes of what is written. None of these may throw. */
export interface StreamListener {
  /** The stream is there: messages may be sent. */
  onReady(): void;
  /** The stream is away, or can't be had; and why. What was not acknowledged is in doubt, and nothing more is told of it. */
  onLost(reason: string): void;
  /** A message is stored, or was already. */
  onStored(token: number): void;
  /** A message was not stored. */
  onRefused(token: number, reason: string): void;
}

/** Writes to the stream. It is ready when its listener was told so, and comes back by itself whenever it was lost. */
export interface StreamWriter {
  /** Sends a message. `token`: what the listener is told of it by; not used again while it is under way. Sent while the stream is away, it is lost. */
  send(token: number, subject: string, id: string, text: string): void;
  /** Gives the stream up; the listener is told nothing more. */
  close(): Promise<void>;
}

/** A message of the stream. */
export interface StoredMessage {
  /** Its number in the stream, from 1, growing. A stream that lost everything begins anew. */
  readonly sequence: number;
  /** When it was stored, milliseconds since the epoch. */
  readonly storedAtMs: number;
  readonly subject: string;
  readonly id: string;
  readonly text: string;
}

/** From where to read: a number in the stream, a time in milliseconds since the epoch, or what comes from now on. */
export type StreamStart = { readonly sequence: number } | { readonly timeMs: number } | "new";

/** How to read. */
export interface ReadOptions {
  readonly start: StreamStart;
  /** A subject; `*` stands for one token of it. */
  readonly subject: string;
  /** Aborting ends the reading. */
  readonly signal: AbortSignal;
  /** True: ends after the last message that is there now. Default: goes on for ever. */
  readonly stopsAtEnd?: boolean;
}

/** Reads the stream. */
export interface StreamReader {
  /**
   * The messages from somewhere on, in their order, each once. While the stream is away the reading waits for it. No more than
   * `LIMITS.streamReadAhead` messages are fetched before they are taken.
   *
   * @throws EVENTS_UNAVAILABLE if the stream can't be had at the beginning.
   */
  read(options: ReadOptions): AsyncGenerator<StoredMessage, void, undefined>;
  /** Ends: what is being read ends. */
  close(): Promise<void>;
}
