/**
 * The port of the message bus between nodes: publish and subscribe, requests and their answers. What travels here are hints and calls, never truth:
 * a message is delivered **at most once**. It is lost without a word if the bus is away, if nobody is subscribed at that moment, if the network drops
 * it, or if either side ends; a lossy network may even hand it over twice. Whoever needs more asks again, and makes that harmless.
 *
 * Messages of one publisher to one subscriber arrive in the order in which they were published, as long as the bus stays connected.
 */
import type { MaestroError } from "../errors.ts";

/** Headers of a message: names of visible ASCII characters without colons, values of one line. Names that begin with `Maestro-Bus-` are the bus's own. */
export type BusHeaders = Readonly<Record<string, string>>;

/** What is sent in answer to a request. */
export interface BusReply {
  readonly payload: Uint8Array;
  readonly headers?: BusHeaders;
}

/** A message as it is received. Its bytes are shared with the bus: they may be kept, not changed. */
export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: BusHeaders;
}

/** Called for each message, in their order; a promise is not awaited before the next. What it throws is told as `bus.handlerFailed` and harms nobody else. */
export type MessageHandler = (message: BusMessage) => void | Promise<void>;

/**
 * Answers a request. If it throws a `MaestroError`, the asker gets its code and facts; anything else is INTERNAL to the asker and told as
 * `bus.handlerFailed`.
 */
export type RequestHandler = (request: BusMessage) => BusReply | Promise<BusReply>;

/** How to subscribe. */
export interface SubscribeOptions {
  /** Subscribers of one queue share the messages of a subject: each message goes to one of them. Default: every subscriber gets every message. */
  readonly queue?: string;
}

/** A subscription. It outlives connections: after each one it is made anew. */
export interface Subscription {
  readonly subject: string;
  /** Ends it. Messages that arrive afterwards are dropped. Does nothing if it has ended. */
  close(): void;
}

/** How to ask. */
export interface RequestOptions {
  /** How long to wait for the answer, in milliseconds, more than 0. */
  readonly timeoutMs: number;
  /** Ends the wait early with REQUEST_CANCELLED. The request itself is not taken back. */
  readonly signal?: AbortSignal;
  readonly headers?: BusHeaders;
}

/** Whether the bus carries messages. */
export interface BusStatus {
  readonly state: "connected" | "disconnected" | "closed";
  /** Since when, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why it is not connected. Never holds secrets. */
  readonly reason?: string;
}

/** A node's connection to the bus. It exists, and its subscriptions are kept, whether the bus is there or not. */
export interface Bus {
  readonly status: BusStatus;
  /** Why nothing can be sent now: BUS_UNAVAILABLE. Undefined while the bus is connected. */
  readonly trouble: MaestroError | undefined;

  /**
   * Sends a message to whoever is subscribed now. It returning means only that the message was taken.
   *
   * @throws BUS_UNAVAILABLE the bus is not connected.
   * @throws BUS_OVERLOADED `LIMITS.busPendingBytes` wait to be taken by the server.
   * @throws MESSAGE_TOO_LARGE the payload is larger than `LIMITS.busPayloadBytes` or what the server takes.
   * @throws FIELD_INVALID the subject or a header is malformed.
   */
  publish(subject: string, payload: Uint8Array, headers?: BusHeaders): void;

  /**
   * Receives what is published on a subject from now on. `*` stands for one token of the subject, a last `>` for one or more.
   *
   * @throws BUS_OVERLOADED the node has `LIMITS.busSubscriptions`.
   * @throws FIELD_INVALID the subject or the queue is malformed.
   */
  subscribe(subject: string, handler: MessageHandler, options?: SubscribeOptions): Subscription;

  /** As {@link subscribe}, but answers. Messages that ask for no answer are handled too, and the answer is dropped. */
  respond(subject: string, handler: RequestHandler, options?: SubscribeOptions): Subscription;

  /**
   * Asks, and resolves with the first answer. Rejects with TIMED_OUT without one in time (it is unknown then whether the request was carried out), with
   * REQUEST_CANCELLED, with BUS_UNAVAILABLE if the bus is not there or goes away meanwhile (unknown too), at once with NO_RESPONDER if nobody is
   * subscribed, with what the responder threw, and as {@link publish} throws.
   */
  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<BusMessage>;

  /** Resolves when the server has taken all that was published before. Rejects with BUS_UNAVAILABLE or TIMED_OUT. */
  flush(timeoutMs: number): Promise<void>;

  /**
   * Ends in good order, within `timeoutMs`: takes no new messages, lets handlers finish with those that were delivered, waits for answers to
   * own requests, flushes and closes. After `timeoutMs` it closes anyway.
   */
  drain(timeoutMs: number): Promise<void>;

  /** Closes at once: requests in flight fail with BUS_UNAVAILABLE. Resolves when nothing of it is left. */
  close(): Promise<void>;
}
