/**
 * A connection to JetStream that comes back: requests with their answers, and whoever writes or reads over it. Requests in flight fail when the
 * connection is lost, so that nobody waits for an answer that can't come.
 */
import { CONNECT_TIMEOUT_MS } from "../bus/bus-link.ts";
import type { Frame, Wire, WireListener, WireUser } from "../bus/wire.ts";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";
import { JETSTREAM, JETSTREAM_ERROR, type JetStreamAnswer, streamRequest } from "./jetstream-api.ts";

/** JetStream said no. */
class JetStreamRefusal extends Error {
  /** JetStream's own number, or 0. */
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

/** What a link needs. */
export interface JetStreamLinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The subjects of the stream begin with this. */
  readonly subjects: string;
  /** The stream is there. */
  onReady(): void;
  /** It is not, or no more. */
  onLost(reason: string): void;
  /** An answer to what was sent with {@link JetStreamLink.send}. */
  onAnswer(token: number, frame: Frame): void;
}

interface Asked {
  readonly resolve: (answer: JetStreamAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One connection after another. */
export class JetStreamLink implements WireUser {
  readonly #options: JetStreamLinkOptions;
  readonly #inbox: string;
  readonly #asked = new Map<number, Asked>();
  #lastAsked = 0;
  #subjects = 0;
  #answers = "";
  #answerListener: WireListener | undefined;
  #wire: Wire | undefined;
  #isReady = false;

  constructor(options: JetStreamLinkOptions) {
    this.#options = options;
    this.#inbox = `_INBOX.${newUuid(options.random)}.`;
  }

  /** The connection, while the stream is there. */
  get wire(): Wire | undefined {
    return this.#isReady ? this.#wire : undefined;
  }

  /** Makes sure that there is the stream. */
  async attach(wire: Wire): Promise<void> {
    this.#wire = wire;
    this.#listenAnew(wire);
    const requests = `${this.#inbox}r.`;
    wire.listen(`${requests}*`, undefined, (frame) => this.#answered(Number(frame.subject.slice(requests.length)), frame));
    await this.ensureStream();
    if (this.#wire !== wire) return;
    this.#isReady = true;
    this.#options.onReady();
  }

  detach(reason: string): void {
    this.#wire = undefined;
    this.#answerListener = undefined;
    this.#isReady = false;
    for (const { reject } of this.#asked.values()) reject(new Error(reason));
    this.#asked.clear();
    this.#options.onLost(reason);
  }

  /** Sends a message that is answered to `onAnswer`. `token`: small numbers cost the server less, and may be used again once they are answered. */
  send(token: number, subject: string, payload: Uint8Array, headers: Readonly<Record<string, string>>): void {
    this.#wire?.send(subject, this.#answers + token, payload, headers);
  }

  /** Hears no answer any more to what was sent so far: its tokens may be used again. */
  forgetAnswers(): void {
    this.#answerListener?.stop();
    if (this.#wire !== undefined) this.#listenAnew(this.#wire);
  }

  /** With subjects of their own: a late answer to what was sent before must not be taken for that to another message. */
  #listenAnew(wire: Wire): void {
    const answers = `${this.#inbox}a${++this.#subjects}.`;
    this.#answers = answers;
    const { onAnswer } = this.#options;
    this.#answerListener = wire.listen(`${answers}*`, undefined, (frame) => onAnswer(Number(frame.subject.slice(answers.length)), frame));
  }

  /** Asks JetStream. Rejects with {@link JetStreamRefusal} if it refuses, or is not there; with another error if the connection is lost, or no answer comes. */
  ask(subject: string, body: object): Promise<JetStreamAnswer> {
    const { clock } = this.#options;
    const token = ++this.#lastAsked;
    return new Promise<JetStreamAnswer>((resolve, reject) => {
      if (this.#wire === undefined) return reject(new Error("NATS is not connected"));
      const cancel = clock.schedule(CONNECT_TIMEOUT_MS, () => settle(() => reject(new Error("JetStream does not answer"))));
      const settle = (then: () => void): void => {
        cancel();
        this.#asked.delete(token);
        then();
      };
      this.#asked.set(token, { resolve: (answer) => settle(() => resolve(answer)), reject: (error) => settle(() => reject(error)) });
      this.#wire.send(subject, `${this.#inbox}r.${token}`, Buffer.from(JSON.stringify(body)), undefined);
    });
  }

  /** Makes the stream if there is none. One that somebody else made is used as it is. */
  async ensureStream(): Promise<void> {
    try {
      await this.ask(JETSTREAM.streamInfo, {});
    } catch (error) {
      if (!(error instanceof JetStreamRefusal) || error.number !== JETSTREAM_ERROR.noStream) throw error;
      await this.#createStream(true);
    }
  }

  async #createStream(isBounded: boolean): Promise<void> {
    try {
      await this.ask(JETSTREAM.createStream, streamRequest(this.#options.subjects, isBounded));
    } catch (error) {
      if (!(error instanceof JetStreamRefusal)) throw error;
      if (error.number === JETSTREAM_ERROR.noStorage && isBounded) return this.#createStream(false);
      // Another node was faster.
      if (error.number !== JETSTREAM_ERROR.nameInUse) throw error;
    }
  }

  #answered(token: number, frame: Frame): void {
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    if (frame.isNoResponder) return asked.reject(new JetStreamRefusal(0, "the NATS server has no JetStream (it is enabled with -js)"));
    try {
      const answer = JSON.parse(Buffer.from(frame.payload).toString()) as JetStreamAnswer;
      const { error } = answer;
      if (error === undefined) asked.resolve(answer);
      else asked.reject(new JetStreamRefusal(error.err_code ?? error.code, `JetStream: ${error.description ?? `error ${error.code}`}`));
    } catch (error) {
      asked.reject(new Error(`JetStream's answer can't be read: ${messageOf(error)}`));
    }
  }
}
