/**
 * Events, as all skins of the gateway serve them: read from the stream, filtered. Owns nothing; without a stream it says so.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { StoredMessage, StreamReader } from "../../runtime/stream/stream.ts";
import { checkEventQuery, type EventQuery, eventFilter, subjectOf } from "./event-requests.ts";

/** The service. */
export class EventService {
  readonly #reader: StreamReader | undefined;

  /** `reader` undefined: there is no stream. */
  constructor(reader: StreamReader | undefined) {
    this.#reader = reader;
  }

  /** The events that are asked for, until `signal` is aborted. @throws FIELD_INVALID, EVENTS_OFF; the iteration throws EVENTS_UNAVAILABLE */
  subscribe(query: EventQuery, signal: AbortSignal): AsyncIterable<StoredMessage> {
    checkEventQuery(query);
    if (this.#reader === undefined) throw new MaestroError("EVENTS_OFF", { facts: { reason: "this node has no NATS server." } });
    const messages = this.#reader.read({ start: query.start, subject: subjectOf(query), signal, stopsAtEnd: query.stopsAtEnd });
    return filtered(messages, eventFilter(query));
  }
}

async function* filtered(messages: AsyncIterable<StoredMessage>, isWanted: ReturnType<typeof eventFilter>): AsyncGenerator<StoredMessage> {
  for await (const message of messages) if (isWanted(message.subject, message.id)) yield message;
}
