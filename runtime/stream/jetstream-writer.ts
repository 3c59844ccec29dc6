/**
 * Writes to the event stream in JetStream. Every message is acknowledged by itself: that an acknowledgement covers those before it would only be true
 * while one node writes to a stream without replicas.
 */
import type { Frame, WireUser } from "../bus/wire.ts";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import type { JetStreamAnswer } from "./jetstream-api.ts";
import { JetStreamLink } from "./jetstream-link.ts";
import type { StreamListener, StreamWriter } from "./stream.ts";

/** An acknowledgement begins with `{"stream":`, a refusal with `{"error":`: told apart by this byte, because parsing costs as much as all else. */
const TELLING_BYTE = 2;
const S = "s".charCodeAt(0);

/** What a writer needs. */
export interface JetStreamWriterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly subjects: string;
  readonly listener: StreamListener;
  /** Begins to connect. */
  start(user: WireUser): void;
  /** Closes the connection. */
  stop(): Promise<void>;
}

/** The writer. */
export class JetStreamWriter implements StreamWriter {
  /** Tokens by the number of their reply subject. Few subjects, used again and again: a server remembers where those lead. */
  readonly #tokens: number[] = [];
  #free: number[] = [];
  readonly #options: JetStreamWriterOptions;
  readonly #link: JetStreamLink;
  #isEnsuring = false;
  #isClosed = false;

  constructor(options: JetStreamWriterOptions) {
    this.#options = options;
    const { clock, random, subjects, listener } = options;
    this.#link = new JetStreamLink({
      ...{ clock, random, subjects },
      onReady: () => this.#tell(() => listener.onReady()),
      onLost: (reason) => {
        this.#forgetTokens();
        this.#tell(() => listener.onLost(reason));
      },
      onAnswer: (reply, frame) => this.#tell(() => this.#answered(reply, frame)),
    });
    options.start(this.#link);
  }

  send(token: number, subject: string, id: string, text: string): void {
    if (this.#free.length === 0 && this.#tokens.length >= LIMITS.eventReplySubjects) this.#forgetUnanswered();
    const reply = this.#free.pop() ?? this.#tokens.length;
    this.#tokens[reply] = token;
    this.#link.send(reply, subject, Buffer.from(text), { "Nats-Msg-Id": id });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#options.stop();
  }

  /** So many acknowledgements never came. What is under way now is in doubt as well, and is sent again by who gets no word of it. */
  #forgetUnanswered(): void {
    this.#forgetTokens();
    this.#link.forgetAnswers();
  }

  #forgetTokens(): void {
    this.#tokens.length = 0;
    this.#free = [];
  }

  #tell(then: () => void): void {
    if (!this.#isClosed) then();
  }

  #answered(reply: number, frame: Frame): void {
    const { listener } = this.#options;
    const token = this.#tokens[reply] ?? 0;
    this.#free.push(reply);
    if (frame.isNoResponder) {
      this.#ensureStream();
      return listener.onRefused(token, "there is no stream");
    }
    if (frame.payload[TELLING_BYTE] === S) return listener.onStored(token);
    const { error } = parse(frame.payload);
    if (error === undefined) listener.onStored(token);
    else listener.onRefused(token, error.description ?? `error ${error.code}`);
  }

  /** The stream was removed under way. */
  #ensureStream(): void {
    if (this.#isEnsuring) return;
    this.#isEnsuring = true;
    const failed = (error: unknown): void => this.#tell(() => this.#options.listener.onRefused(0, messageOf(error)));
    const done = (): void => {
      this.#isEnsuring = false;
    };
    this.#link.ensureStream().catch(failed).then(done, done);
  }
}

function parse(payload: Uint8Array): JetStreamAnswer {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as JetStreamAnswer;
  } catch (error) {
    return { error: { code: 0, description: `the acknowledgement can't be read: ${messageOf(error)}` } };
  }
}
