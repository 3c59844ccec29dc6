/**
 * One connection to a NATS server as a wire. It never reconnects by itself: what comes after a lost connection is a new wire, with every subscription
 * made anew, so that none can stay behind in silence.
 *
 * Three habits of the client library are kept away from the rest: an exception in a callback ends its reading loop without closing the connection; what is
 * published while disconnected grows without bound and may be dropped; and a write to a stalled server can make its own liveness check wait for ever.
 */
import type { Msg, MsgHdrs, NatsConnection } from "nats";
import { messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BusHeaders } from "./bus.ts";
import type { Frame, Wire, WireListener } from "./wire.ts";

/** What a server takes if it does not say. */
const DEFAULT_PAYLOAD_BYTES = 1024 * 1024;
const NO_RESPONDER_CODE = 503;
const NO_HEADERS: BusHeaders = Object.freeze({});

/** A wire over a connection that is open. */
export class NatsWire implements Wire {
  readonly maxPayloadBytes: number;
  readonly #connection: NatsConnection;
  readonly #events: EventHub;

  constructor(connection: NatsConnection, events: EventHub) {
    this.#connection = connection;
    this.#events = events;
    this.maxPayloadBytes = connection.info?.max_payload ?? DEFAULT_PAYLOAD_BYTES;
    this.#watch().catch((error: unknown) => events.emit("bus.refused", { subject: ">", reason: messageOf(error) }));
  }

  send(subject: string, reply: string, payload: Uint8Array, headers: BusHeaders | undefined): void {
    if (this.#connection.isClosed()) return;
    try {
      this.#connection.publish(subject, payload, { reply, ...(headers === undefined ? {} : { headers: toNats(headers) }) });
    } catch (error) {
      // The connection ended in this very moment, or the server lowered its limits meanwhile: the message is lost, as messages may be.
      this.#events.emit("bus.refused", { subject, reason: messageOf(error) });
    }
  }

  listen(subject: string, queue: string | undefined, receive: (frame: Frame) => void): WireListener {
    if (this.#connection.isClosed()) return { stop: () => undefined, drain: () => Promise.resolve() };
    const subscription = this.#connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        // An error means that the subscription is not allowed, which the connection tells as well.
        if (error === null) receive(frameOf(message));
      },
    });
    const isOpen = (): boolean => !subscription.isClosed() && !this.#connection.isClosed();
    return {
      stop() {
        if (isOpen()) subscription.unsubscribe();
      },
      async drain() {
        if (isOpen()) await subscription.drain();
      },
    };
  }

  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Tells of subjects that the server does not allow. Ends with the connection, or is forgotten with it. */
  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      const subject = status.permissionContext?.subject;
      if (subject !== undefined) this.#events.emit("bus.refused", { subject, reason: `${status.permissionContext?.operation} not permitted` });
    }
  }
}

/**
 * Headers as they are on the wire. The library's own are a map of lists that is checked name by name; for small messages that costs as much as all else, and
 * names and values were checked before. Of what it is given the library uses this one method.
 */
function toNats(headers: BusHeaders): MsgHdrs {
  let text = "NATS/1.0\r\n";
  for (const name of Object.keys(headers)) text += `${name}: ${headers[name]}\r\n`;
  return { encode: () => Buffer.from(`${text}\r\n`) } as unknown as MsgHdrs;
}

function frameOf(message: Msg): Frame {
  const payload = message.data;
  const { headers } = message;
  return {
    subject: message.subject,
    reply: message.reply ?? "",
    payload,
    headers: headers === undefined ? NO_HEADERS : fromNats(headers),
    isNoResponder: headers !== undefined && payload.length === 0 && headers.code === NO_RESPONDER_CODE,
    status: headers?.code ?? 0,
  };
}

function fromNats(headers: MsgHdrs): BusHeaders {
  const read: Record<string, string> = {};
  for (const [name, values] of headers) read[name] = values[0] ?? "";
  return read;
}
