/**
 * A plain NATS client, as anybody may write one, that hears all events: no JetStream, no code of the product.
 */
import { connect, type NatsConnection } from "nats";

/** An event as it came. */
export interface HeardEvent {
  readonly subject: string;
  readonly text: string;
}

/** The client. */
export interface EventSubscriber {
  readonly heard: readonly HeardEvent[];
  close(): Promise<void>;
}

/** Subscribes to all events, and again after each loss of the connection. */
export async function subscribeToEvents(url: string): Promise<EventSubscriber> {
  const heard: HeardEvent[] = [];
  const connection: NatsConnection = await connect({ servers: url.replace("nats://", ""), maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  connection.subscribe("maestro.events.>", { callback: (_error, message) => void heard.push({ subject: message.subject, text: message.string() }) });
  await connection.flush();
  return { heard, close: () => connection.close() };
}
