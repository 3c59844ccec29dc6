/**
 * The bus over any wire: what is well formed, what is too much, who is subscribed, which requests await answers, and how all of it ends. Wires come and
 * go; whoever makes them hands them over with {@link WiredBus.attach} and takes them away with {@link WiredBus.detach}.
 */
import type { Clock } from "../clock.ts";
import { type ErrorCode, MaestroError } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { newUuid } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import type {
  Bus,
  BusHeaders,
  BusMessage,
  BusReply,
  BusStatus,
  MessageHandler,
  RequestHandler,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from "./bus.ts";
import { errorAnswer, errorInAnswer } from "./bus-error.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { PendingRequests, RETRY_AFTER_MS } from "./pending-requests.ts";
import { RunningHandlers } from "./running-handlers.ts";
import { checkHeaders, checkPattern, checkQueue, checkSubject } from "./subject.ts";
import { TakenRequests } from "./taken-requests.ts";
import type { Frame, Wire, WireListener } from "./wire.ts";
import { within } from "./within.ts";

/** Why an answer may not have been sent although it could be later. */
const UNSENT: ReadonlySet<ErrorCode> = new Set(["BUS_OVERLOADED", "BUS_UNAVAILABLE"]);

/** What a bus needs. */
export interface WiredBusOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Where the bus is, for people: host and port. Never with secrets. */
  readonly address: string;
  /** Closes what makes the wires. Called once. */
  onClose(): Promise<void>;
}

interface Listener {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly receive: (frame: Frame) => void;
  /** On the wire of now, if there is one. */
  wired: WireListener | undefined;
}

/** A bus over one wire after another. */
export class WiredBus implements Bus {
  readonly #options: WiredBusOptions;
  readonly #inbox: string;
  readonly #answers: Listener;
  readonly #listeners = new Set<Listener>();
  readonly #requests: PendingRequests;
  readonly #handlers: RunningHandlers;
  #wire: Wire | undefined;
  #outgoing: OutgoingBytes | undefined;
  #status: BusStatus;
  #isTold = false;
  #isDraining = false;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: WiredBusOptions) {
    this.#options = options;
    this.#inbox = `_INBOX.${newUuid(options.random)}.`;
    const onEmpty = (): void => this.#noteIdle();
    this.#requests = new PendingRequests(options.clock, onEmpty);
    this.#handlers = new RunningHandlers(options.clock, options.events, onEmpty);
    this.#status = { state: "disconnected", sinceMs: options.clock.now(), reason: "not connected yet" };
    this.#answers = { subject: `${this.#inbox}*`, queue: undefined, receive: (frame) => this.#receiveAnswer(frame), wired: undefined };
    this.#listeners.add(this.#answers);
  }

  get trouble(): MaestroError | undefined {
    return this.#status.state === "connected" ? undefined : this.#unavailable();
  }

  get status(): BusStatus {
    return this.#status;
  }

  /** Uses a new wire from now on: makes every subscription on it, and is connected when the other end has taken them. Rejects if the wire breaks before. */
  async attach(wire: Wire): Promise<void> {
    this.#wire = wire;
    for (const listener of this.#listeners) listener.wired = wire.listen(listener.subject, listener.queue, listener.receive);
    await wire.flush();
    if (this.#wire !== wire) return;
    const { clock, events, address } = this.#options;
    this.#outgoing = new OutgoingBytes(wire);
    this.#status = { state: "connected", sinceMs: clock.now() };
    events.emit("bus.connected", { address });
  }

  /** Lets the wire go, if there is one, and says why. Requests in flight fail. */
  detach(reason: string): void {
    const { clock, events, address } = this.#options;
    const { state, sinceMs } = this.#status;
    this.#wire = undefined;
    this.#outgoing = undefined;
    for (const listener of this.#listeners) listener.wired = undefined;
    if (state === "closed") return;
    this.#status = { state: "disconnected", sinceMs: state === "disconnected" ? sinceMs : clock.now(), reason };
    if (state === "connected" || !this.#isTold) events.emit("bus.disconnected", { address, reason });
    this.#isTold = true;
    this.#requests.failAll(this.#unavailable());
  }

  publish(subject: string, payload: Uint8Array, headers?: BusHeaders): void {
    checkSubject(subject);
    this.#send(subject, "", payload, headers);
  }

  subscribe(subject: string, handler: MessageHandler, options: SubscribeOptions = {}): Subscription {
    return this.#listen(subject, options.queue, (frame) => {
      if (!this.#handlers.isFull(frame.subject)) this.#handlers.run(frame.subject, () => handler(frame));
    });
  }

  respond(subject: string, handler: RequestHandler, options: SubscribeOptions = {}): Subscription {
    const taken = new TakenRequests();
    return this.#listen(subject, options.queue, (frame) => {
      if (!taken.take(frame.reply)) return;
      if (this.#handlers.isFull(frame.subject)) this.#answerError(frame, this.#overloaded("handlers are under way", this.#handlers.count));
      else this.#handlers.run(frame.subject, () => this.#answer(frame, handler));
    });
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<BusMessage> {
    return this.#requests.add(subject, options, (token) => {
      checkSubject(subject);
      if (this.#isDraining) throw this.#unavailable("it is being closed");
      this.#send(subject, this.#inbox + token, payload, options.headers);
    });
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.#wire === undefined || this.#status.state !== "connected") throw this.#unavailable();
    const taken = this.#wire.flush().catch((cause: unknown) => {
      throw new MaestroError("BUS_UNAVAILABLE", { facts: { address: this.#options.address, reason: "the connection was lost" }, cause });
    });
    await within(this.#options.clock, taken, timeoutMs, "Flushing the message bus");
  }

  drain(timeoutMs: number): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    try {
      if (this.#closing === undefined) await within(this.#options.clock, this.#finish(), timeoutMs, "Draining the message bus");
    } catch (error) {
      this.#options.events.emit("bus.drainCut", { requests: this.#requests.count, handlers: this.#handlers.count, error });
    }
    await this.close();
  }

  async #close(): Promise<void> {
    this.#isDraining = true;
    this.#status = { state: "closed", sinceMs: this.#options.clock.now(), reason: "it was closed" };
    this.#requests.failAll(this.#unavailable());
    for (const listener of this.#listeners) listener.wired?.stop();
    this.#listeners.clear();
    this.#wire = undefined;
    await this.#options.onClose();
  }

  /** Unsubscribes, and waits for what was delivered before and what was asked. */
  async #finish(): Promise<void> {
    const ending = [...this.#listeners].filter((listener) => listener !== this.#answers);
    for (const listener of ending) this.#listeners.delete(listener);
    await Promise.all(ending.map((listener) => listener.wired?.drain()));
    if (this.#requests.count + this.#handlers.count > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#wire?.flush();
  }

  #noteIdle(): void {
    if (this.#requests.count + this.#handlers.count === 0) this.#onIdle?.();
  }

  #listen(subject: string, queue: string | undefined, receive: (frame: Frame) => void): Subscription {
    checkPattern(subject);
    if (queue !== undefined) checkQueue(queue);
    if (this.#isDraining) throw this.#unavailable("it is being closed");
    if (this.#listeners.size >= LIMITS.busSubscriptions) throw this.#overloaded("subscriptions exist", this.#listeners.size);
    const listener: Listener = { subject, queue, receive, wired: undefined };
    this.#listeners.add(listener);
    listener.wired = this.#wire?.listen(subject, queue, receive);
    return { subject, close: () => this.#end(listener) };
  }

  #end(listener: Listener): void {
    if (this.#listeners.delete(listener)) listener.wired?.stop();
  }

  #send(subject: string, reply: string, payload: Uint8Array, headers: BusHeaders | undefined): void {
    const wire = this.#wire;
    if (wire === undefined || this.#outgoing === undefined || this.#status.state !== "connected") throw this.#unavailable();
    const bytes = payload.length + (headers === undefined ? 0 : checkHeaders(headers));
    const limit = Math.min(LIMITS.busPayloadBytes, wire.maxPayloadBytes);
    if (bytes > limit) throw new MaestroError("MESSAGE_TOO_LARGE", { facts: { field: `A message on ${subject}`, bytes, limit } });
    if (!this.#outgoing.add(bytes)) throw this.#overloaded("bytes wait to be sent", this.#outgoing.count);
    wire.send(subject, reply, payload, headers);
  }

  async #answer(frame: Frame, handler: RequestHandler): Promise<void> {
    let answer: BusReply;
    try {
      answer = await handler(frame);
    } catch (error) {
      const isOwn = error instanceof MaestroError;
      this.#answerError(frame, isOwn ? error : new MaestroError("INTERNAL", { facts: { reason: `the responder on ${frame.subject} failed` } }));
      if (!isOwn) throw error;
      return;
    }
    if (frame.reply !== "") this.#sendAnswer(frame, answer);
  }

  /** If it can't be sent for now, nothing is answered: the error of that would say that nothing was done. Who asks hears no answer in time. */
  #sendAnswer(frame: Frame, { payload, headers }: BusReply): void {
    try {
      this.#send(frame.reply, "", payload, headers);
    } catch (error) {
      if (!(error instanceof MaestroError)) throw error;
      if (!UNSENT.has(error.code)) this.#answerError(frame, error);
    }
  }

  #answerError(frame: Frame, error: MaestroError): void {
    if (frame.reply === "") return;
    const { payload, headers } = errorAnswer(error);
    this.#wire?.send(frame.reply, "", payload, headers);
  }

  #receiveAnswer(frame: Frame): void {
    this.#requests.settle(frame.subject.slice(this.#inbox.length), (subject) =>
      frame.isNoResponder ? new MaestroError("NO_RESPONDER", { facts: { subject } }) : (errorInAnswer(frame.headers, frame.payload) ?? frame),
    );
  }

  #unavailable(reason = this.#status.reason ?? "not connected"): MaestroError {
    return new MaestroError("BUS_UNAVAILABLE", { facts: { address: this.#options.address, reason }, retryAfterMs: RETRY_AFTER_MS });
  }

  #overloaded(what: string, count: number): MaestroError {
    return new MaestroError("BUS_OVERLOADED", { facts: { what, count }, retryAfterMs: RETRY_AFTER_MS });
  }
}
