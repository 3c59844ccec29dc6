/**
 * Requests of one bus that await their answer. Each has a deadline, may be cancelled, and there are at most `LIMITS.busPendingRequests`.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { Deadline, Deadlines } from "../kernel/deadlines.ts";
import { LIMITS } from "../limits.ts";
import type { BusMessage, RequestOptions } from "./bus.ts";

/** When to try again what was refused because too much is under way, in milliseconds. */
export const RETRY_AFTER_MS = 250;

class PendingRequest extends Deadline {
  readonly token: string;
  readonly subject: string;
  readonly timeoutMs: number;
  readonly end: (request: PendingRequest) => void;
  readonly resolve: (reply: BusMessage) => void;
  readonly reject: (error: MaestroError) => void;
  unsubscribe: (() => void) | undefined = undefined;

  constructor(parts: Pick<PendingRequest, "token" | "subject" | "timeoutMs" | "end" | "resolve" | "reject">) {
    super();
    this.token = parts.token;
    this.subject = parts.subject;
    this.timeoutMs = parts.timeoutMs;
    this.end = parts.end;
    this.resolve = parts.resolve;
    this.reject = parts.reject;
  }

  fail(error: MaestroError): void {
    this.end(this);
    this.reject(error);
  }

  override onDue(): void {
    this.fail(new MaestroError("TIMED_OUT", { facts: { what: `The answer on ${this.subject}`, timeoutMs: this.timeoutMs } }));
  }
}

/** The requests in flight of one bus. */
export class PendingRequests {
  readonly #deadlines: Deadlines;
  readonly #byToken = new Map<string, PendingRequest>();
  readonly #onEmpty: () => void;
  #lastToken = 0;

  /** `onEmpty` is called whenever the last request in flight has ended. */
  constructor(clock: Clock, onEmpty: () => void) {
    this.#deadlines = new Deadlines(clock);
    this.#onEmpty = onEmpty;
  }

  /** Number of requests in flight. */
  get count(): number {
    return this.#byToken.size;
  }

  /** Has `send` send a request with a token of its own; resolves with the answer. See `Bus.request` for errors. */
  add(subject: string, options: RequestOptions, send: (token: string) => void): Promise<BusMessage> {
    const { signal, timeoutMs } = options;
    if (this.#byToken.size >= LIMITS.busPendingRequests) {
      return Promise.reject(
        new MaestroError("BUS_OVERLOADED", { facts: { what: "requests await their answer", count: this.count }, retryAfterMs: RETRY_AFTER_MS }),
      );
    }
    if (signal?.aborted === true) return Promise.reject(new MaestroError("REQUEST_CANCELLED", { cause: signal.reason }));
    return new Promise((resolve, reject) => {
      const token = (++this.#lastToken).toString(36);
      const request = new PendingRequest({ token, subject, timeoutMs, resolve, reject, end: (ended) => this.#end(ended) });
      this.#deadlines.add(request, timeoutMs);
      this.#byToken.set(token, request);
      if (signal !== undefined) {
        const cancel = (): void => request.fail(new MaestroError("REQUEST_CANCELLED", { cause: signal.reason }));
        signal.addEventListener("abort", cancel, { once: true });
        request.unsubscribe = () => signal.removeEventListener("abort", cancel);
      }
      try {
        send(token);
      } catch (error) {
        this.#end(request);
        reject(error);
      }
    });
  }

  /** Ends the request of that token with its answer, or the error that is its answer. Answers that nobody awaits (late, repeated) are dropped. */
  settle(token: string, answer: (subject: string) => BusMessage | MaestroError): void {
    const request = this.#byToken.get(token);
    if (request === undefined) return;
    const outcome = answer(request.subject);
    if (outcome instanceof MaestroError) request.fail(outcome);
    else {
      this.#end(request);
      request.resolve(outcome);
    }
  }

  /** Ends all requests with an error. */
  failAll(error: MaestroError): void {
    for (const request of [...this.#byToken.values()]) request.fail(error);
  }

  #end(request: PendingRequest): void {
    this.#byToken.delete(request.token);
    this.#deadlines.remove(request);
    request.unsubscribe?.();
    if (this.#byToken.size === 0) this.#onEmpty();
  }
}
