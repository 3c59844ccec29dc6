/**
 * The calls of one gRPC server: turns a function from request to answer into a unary handler, reports every call as an event, and knows
 * the calls that may stay open for long, so that a drain can end them.
 */
import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import type { Clock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";
import type { EventHub } from "../runtime/events.ts";
import { isUndecodable, undecodable } from "./grpc-codec.ts";
import { presentable, toCallStatus } from "./grpc-status.ts";

/** A call that waits for something: how a drain ends it. */
export interface OpenCall {
  /** The server takes no more work: what never ends by itself ends now, the rest as soon as it can. */
  drain(reason: MaestroError): void;
  /** The time for draining is over: end now. */
  stop(reason: MaestroError): void;
}

/** All calls of one server. */
export class Calls {
  readonly clock: Clock;
  readonly #events: EventHub;
  readonly #open = new Set<OpenCall>();
  /** Unary calls under way: what refuses each. */
  readonly #unary = new Set<(reason: MaestroError) => void>();

  constructor(clock: Clock, events: EventHub) {
    this.clock = clock;
    this.#events = events;
  }

  /** Calls that wait at the moment. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Registers a call that waits. */
  open(call: OpenCall): void {
    this.#open.add(call);
  }

  /** Forgets a call that has ended. */
  close(call: OpenCall): void {
    this.#open.delete(call);
  }

  /** Tells the waiting calls that the server takes no more work. */
  drain(): void {
    const reason = new MaestroError("NODE_STOPPING");
    for (const call of this.#open) call.drain(reason);
  }

  /** Ends the waiting calls, and refuses those that have no answer yet: a connection that is cut under a call tells its client nothing to go by. */
  stop(): void {
    const reason = new MaestroError("NODE_STOPPING");
    for (const call of this.#open) call.stop(reason);
    for (const refuse of this.#unary) refuse(reason);
  }

  /** Reports a call that was answered. `startMs` is of the monotonic clock; without `error` it went well. */
  ended(method: string, startMs: number, error?: unknown): void {
    if (error !== undefined) this.broken(method, error);
    if (!this.#events.has("request.ended")) return;
    const code = error === undefined ? "OK" : presentable(error).code;
    this.#events.emit("request.ended", { method, code, durationMs: this.clock.monotonic() - startMs });
  }

  /** Reports an error that is none of the registry, which a client is told nothing of. Others are left alone. */
  broken(method: string, error: unknown): void {
    if (presentable(error) !== error) this.#events.emit("request.broken", { method, error });
  }

  /** The handler of a unary method: checks that the request could be decoded, and turns what `answer` throws into a status. */
  unary<Request, Response>(
    method: string,
    answer: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const startMs = this.clock.monotonic();
      const answering = isUndecodable(call.request) ? Promise.reject(undecodable()) : answer(call.request, call);
      const refuse = (error: unknown): void => {
        if (!this.#unary.delete(refuse)) return;
        callback(toCallStatus(error));
        this.ended(method, startMs, error);
      };
      this.#unary.add(refuse);
      answering.then((response) => {
        if (!this.#unary.delete(refuse)) return;
        callback(null, response);
        this.ended(method, startMs);
      }, refuse);
    };
  }
}
