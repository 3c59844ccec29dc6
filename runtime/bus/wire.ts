/**
 * What carries the messages of a bus while it is connected: one connection, used until it fails and then thrown away. A wire knows nothing of requests,
 * handlers and bounds; those are the same for every wire, in `wired-bus.ts`.
 */
import type { BusHeaders } from "./bus.ts";

/** A message on a wire. */
export interface Frame {
  readonly subject: string;
  /** Where an answer is expected; empty if none is. */
  readonly reply: string;
  readonly payload: Uint8Array;
  readonly headers: BusHeaders;
  /** True for the server's word, on the reply subject of a request, that nobody is subscribed. */
  readonly isNoResponder: boolean;
  /** A word of the server itself instead of a message, by its number; 0: a message. */
  readonly status: number;
}

/** Who is given one wire after another. */
export interface WireUser {
  /** Uses a new wire; resolves when it is ready for use. Rejects if it can't be used: it is thrown away then. */
  attach(wire: Wire): Promise<void>;
  /** There is no wire any more, or there was none to be had, and why. Called after each attach. */
  detach(reason: string): void;
}

/** A subscription on a wire. */
export interface WireListener {
  /** Ends it at once: what is on its way is dropped. */
  stop(): void;
  /** Ends it in order: resolves when what was on its way has been received. Rejects if the connection breaks. */
  drain(): Promise<void>;
}

/** One connection. Nothing here throws because the connection broke: whoever made the wire finds that out and says so. */
export interface Wire {
  /** The largest payload that the other end takes, headers included. */
  readonly maxPayloadBytes: number;
  /** Sends a message, in order. `reply` is empty if no answer is expected. */
  send(subject: string, reply: string, payload: Uint8Array, headers: BusHeaders | undefined): void;
  /** Calls `receive`, which never throws, for each message on `subject`. */
  listen(subject: string, queue: string | undefined, receive: (frame: Frame) => void): WireListener;
  /** Resolves when the other end has taken what was sent, and what it had sent before was received. Rejects if the connection breaks. */
  flush(): Promise<void>;
}
