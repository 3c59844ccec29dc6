/**
 * What the product asks of NATS JetStream, as JSON: the stream, and consumers of it. The protocol itself, so that connections, silence and
 * failures are dealt with by the bus's own link.
 */
import { DUPLICATE_WINDOW_MS } from "./stream.ts";

/** Name of the stream that holds the events. */
const STREAM_NAME = "MAESTRO_EVENTS";

const NS_PER_MS = 1_000_000;
const DAY_MS = 86_400_000;
/** How long events are kept, and how many bytes of them, where nobody made the stream beforehand. */
const KEPT_DAYS = 7;
const KEPT_BYTES = 4 * 1024 * 1024 * 1024;
/** A consumer that nobody asks is forgotten by the server after this time. */
const IDLE_CONSUMER_MS = 60_000;

/** JetStream's numbers of errors that mean something here. */
export const JETSTREAM_ERROR = Object.freeze({ noStream: 10_059, noStorage: 10_047, nameInUse: 10_058 });

/** An answer of JetStream. */
export interface JetStreamAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
  /** Of a consumer. */
  readonly name?: string;
  /** Of a consumer: messages that it has not delivered yet. */
  readonly num_pending?: number;
  /** Of a stream. */
  readonly state?: { readonly first_seq: number; readonly last_seq: number };
}

/** Subjects of requests. */
export const JETSTREAM = Object.freeze({
  streamInfo: `$JS.API.STREAM.INFO.${STREAM_NAME}`,
  createStream: `$JS.API.STREAM.CREATE.${STREAM_NAME}`,
  createConsumer: `$JS.API.CONSUMER.CREATE.${STREAM_NAME}`,
  /** The next messages of a consumer. */
  next: (consumer: string): string => `$JS.API.CONSUMER.MSG.NEXT.${STREAM_NAME}.${consumer}`,
});

/** The stream, for `createStream`. `isBounded` false: without a bound in bytes, which a server with little storage refuses to promise. */
export function streamRequest(subjects: string, isBounded: boolean): object {
  return {
    name: STREAM_NAME,
    subjects: [`${subjects}.>`],
    retention: "limits",
    storage: "file",
    discard: "old",
    num_replicas: 1,
    max_age: KEPT_DAYS * DAY_MS * NS_PER_MS,
    max_bytes: isBounded ? KEPT_BYTES : -1,
    max_msgs: -1,
    max_consumers: -1,
    duplicate_window: DUPLICATE_WINDOW_MS * NS_PER_MS,
  };
}

/** A consumer that lives as long as it is used, for `createConsumer`. */
export function consumerRequest(subject: string, sequence: number): object {
  return {
    stream_name: STREAM_NAME,
    config: {
      deliver_policy: "by_start_sequence",
      opt_start_seq: sequence,
      ack_policy: "none",
      filter_subject: subject,
      inactive_threshold: IDLE_CONSUMER_MS * NS_PER_MS,
      mem_storage: true,
      num_replicas: 1,
    },
  };
}

/** A consumer that would begin at a time: it is asked where that is. */
export function timedConsumerRequest(subject: string, timeMs: number): object {
  const { config, ...rest } = consumerRequest(subject, 1) as { readonly config: object };
  return {
    ...rest,
    config: { ...config, deliver_policy: "by_start_time", opt_start_seq: undefined, opt_start_time: new Date(timeMs).toISOString() },
  };
}

/** A request for the next messages. `expiresMs` 0: only for those that are there. */
export function nextRequest(count: number, expiresMs: number): object {
  return expiresMs === 0 ? { batch: count, no_wait: true } : { batch: count, expires: expiresMs * NS_PER_MS };
}

/** Where a delivered message stands in the stream, read off its reply subject; undefined if that is of another form. */
export function placeOf(reply: string): { readonly sequence: number; readonly storedAtMs: number } | undefined {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const first = tokens.length === 9 ? 5 : 7;
  return { sequence: Number(tokens[first]), storedAtMs: Math.floor(Number(tokens[first + 2]) / NS_PER_MS) };
}
