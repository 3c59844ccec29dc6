/**
 * One stream of answers that may go on for ever (a run's history, events), written as fast as the client reads and no faster. While the client does not
 * read, nothing more is asked of what the answers are made from either.
 */
import { once } from "node:events";
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import type { MaestroError } from "../runtime/errors.ts";
import type { Calls, OpenCall } from "./grpc-calls.ts";
import { isUndecodable, undecodable } from "./grpc-codec.ts";
import { onCancelled } from "./grpc-deadline.ts";
import { toCallStatus } from "./grpc-status.ts";

/** What a stream serves. */
export interface StreamSource<Request, Answer, Response> {
  /** `Service/Method`, for reports. */
  readonly method: string;
  /** Begins to answer; what it throws, and what the iteration throws, is the call's status. */
  answers(request: Request, signal: AbortSignal): AsyncIterable<Answer>;
  /** An answer as it is on the wire. */
  response(answer: Answer): Response;
}

/** The stream of one call. */
export class AnswerStream<Request, Answer, Response> implements OpenCall {
  readonly #source: StreamSource<Request, Answer, Response>;
  readonly #calls: Calls;
  readonly #call: ServerWritableStream<Request, Response>;
  readonly #abort = new AbortController();

  constructor(source: StreamSource<Request, Answer, Response>, calls: Calls, call: ServerWritableStream<Request, Response>) {
    this.#source = source;
    this.#calls = calls;
    this.#call = call;
  }

  /** Serves until the answers have ended, the client has gone or the server drains. Never rejects. */
  async serve(): Promise<void> {
    const startMs = this.#calls.clock.monotonic();
    this.#calls.open(this);
    onCancelled(this.#call, this.#calls.clock, (reason) => this.#abort.abort(reason()));
    try {
      await this.#write();
      this.#call.end();
      this.#calls.ended(this.#source.method, startMs);
    } catch (error) {
      // What was aborted may fail in words of its own (a wait for the client's reading does): the reason says it better.
      const reason = this.#abort.signal.aborted ? this.#abort.signal.reason : error;
      this.#call.emit("error", toCallStatus(reason));
      this.#calls.ended(this.#source.method, startMs, reason);
    } finally {
      this.#calls.close(this);
    }
  }

  /** The stream may have no end of its own: it ends now, and the client goes on elsewhere. */
  drain(reason: MaestroError): void {
    this.#abort.abort(reason);
  }

  stop(reason: MaestroError): void {
    this.#abort.abort(reason);
  }

  async #write(): Promise<void> {
    const { signal } = this.#abort;
    if (isUndecodable(this.#call.request)) throw undecodable();
    const answers = this.#source.answers(this.#call.request, signal);
    this.#call.sendMetadata(new Metadata());
    for await (const answer of answers) {
      signal.throwIfAborted();
      if (!this.#call.write(this.#source.response(answer))) await once(this.#call, "drain", { signal });
    }
    signal.throwIfAborted();
  }
}
