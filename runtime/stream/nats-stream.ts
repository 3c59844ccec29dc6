/**
 * The event stream in NATS JetStream, over connections of its own: what waits here must not delay the calls between nodes.
 */
import { type NatsBusOptions, natsLink } from "../bus/nats-bus.ts";
import { JetStreamLink } from "./jetstream-link.ts";
import { JetStreamReader } from "./jetstream-reader.ts";
import { JetStreamWriter } from "./jetstream-writer.ts";
import type { StreamListener, StreamReader, StreamWriter } from "./stream.ts";

/** How to reach the stream. */
export interface NatsStreamOptions extends NatsBusOptions {
  /** The subjects of the stream begin with this. */
  readonly subjects: string;
}

/** Opens the stream for writing, and returns at once. @throws CONFIG_INVALID as `openNatsBus` */
export function openNatsStreamWriter(options: NatsStreamOptions, listener: StreamListener): StreamWriter {
  const { link } = natsLink({ ...options, name: `${options.name} events` });
  return new JetStreamWriter({ ...options, listener, start: (user) => link.start(user), stop: () => link.close() });
}

/** Opens the stream for reading. Connects when it is first read. @throws CONFIG_INVALID as `openNatsBus` */
export function openNatsStreamReader(options: NatsStreamOptions): StreamReader {
  const { address, link } = natsLink({ ...options, name: `${options.name} event readers` });
  const { clock, random, subjects } = options;
  const makeLink = (onReady: () => void, onLost: (reason: string) => void): JetStreamLink =>
    new JetStreamLink({ clock, random, subjects, onReady, onLost, onAnswer: () => undefined });
  return new JetStreamReader({ clock, random, address, makeLink, start: (user) => link.start(user), stop: () => link.close() });
}
