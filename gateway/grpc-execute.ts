/**
 * One `Execute` stream: starts runs as requests arrive and answers each when its run has ended, in the order of the ends. It owns the
 * stream's flow: requests that are under way, and answers that the client has not taken yet, are bounded in number and size; above it the
 * stream is not read, and the client's writes wait. It must not touch the runs: a stream that ends takes only its own waiting with it.
 *
 * An error of one request answers that request. The stream itself fails only when no answer could be told from another: a request that
 * can't be decoded, or a second one with an id that is under way.
 */
import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import type { RunOutcome } from "../actors/runs.ts";
import type { Status } from "../proto/gen/google/rpc/status.ts";
import type { ExecuteRequest, ExecuteResponse } from "../proto/gen/maestro/v1/run_service.ts";
import { MaestroError } from "../runtime/errors.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Calls, OpenCall } from "./grpc-calls.ts";
import { isUndecodable, undecodable } from "./grpc-codec.ts";
import { onCancelled } from "./grpc-deadline.ts";
import { resultMessage } from "./grpc-messages.ts";
import { toCallStatus, toStatusMessage } from "./grpc-status.ts";
import type { Caller } from "./service/caller.ts";
import type { RunService } from "./service/run-service.ts";

const METHOD = "RunService/Execute";

interface UnderWay {
  /** Ends the waiting. Each request has its own: a signal that all share would cost more with each listener. */
  readonly waiting: AbortController;
  /** Characters of the input. */
  readonly chars: number;
}

/** The stream of one call. */
export class ExecuteStream implements OpenCall {
  readonly #service: RunService;
  readonly #calls: Calls;
  readonly #call: ServerDuplexStream<ExecuteRequest, ExecuteResponse>;
  readonly #caller: Caller;
  readonly #startMs: number;
  /** Requests that await their answer, by id. */
  readonly #underWay = new Map<number, UnderWay>();
  /** Answers that the connection has not taken yet. */
  #unwritten = 0;
  /** Characters of what is under way and of what is unwritten. */
  #chars = 0;
  /** The message of the error that was told last. */
  #lastRefusal: { readonly error: unknown; readonly message: Status } | undefined;
  /** Why no new request is taken. */
  #refusal: MaestroError | undefined;
  #readInTurn = 0;
  /** Gives up waiting for room among the starts of the node; undefined while the stream does not wait for that. */
  #giveUpRoom: (() => void) | undefined;
  #halfClosed = false;
  #ended = false;

  constructor(service: RunService, calls: Calls, call: ServerDuplexStream<ExecuteRequest, ExecuteResponse>, caller: Caller) {
    this.#service = service;
    this.#calls = calls;
    this.#call = call;
    this.#caller = caller;
    this.#startMs = calls.clock.monotonic();
  }

  /** Begins to serve. */
  start(): void {
    this.#calls.open(this);
    onCancelled(this.#call, this.#calls.clock, (reason) => this.#end(reason()));
    this.#call.sendMetadata(new Metadata());
    this.#call.on("end", () => {
      this.#halfClosed = true;
      this.#endWhenDone();
    });
    this.#call.on("data", (request: ExecuteRequest) => this.#accept(request));
  }

  drain(reason: MaestroError): void {
    this.#refusal = reason;
    this.#endWhenDone();
  }

  stop(reason: MaestroError): void {
    for (const requestId of this.#underWay.keys()) this.#write(this.#refusalOf(requestId, reason));
    this.#end(reason);
  }

  #accept(request: ExecuteRequest): void {
    if (this.#ended) return;
    if (this.#readInTurn === 0) setImmediate(this.#nextTurn);
    this.#readInTurn += 1;
    if (isUndecodable(request)) return this.#end(undecodable());
    const { requestId, start } = request;
    if (this.#underWay.has(requestId)) return this.#end(invalid("request_id", `${requestId} is under way on this stream.`));
    const refusal = this.#refusal ?? mistakeOf(request) ?? this.#overload();
    if (refusal !== undefined || start === undefined) return this.#write(this.#refusalOf(requestId, refusal));
    const waiting = new AbortController();
    this.#underWay.set(requestId, { waiting, chars: start.input.length });
    this.#chars += start.input.length;
    this.#service.execute(start, this.#caller, waiting.signal).then(
      (outcome) => this.#answer(requestId, answerOf(requestId, outcome)),
      (error: unknown) => this.#fail(requestId, error),
    );
    this.#regulate();
  }

  #fail(requestId: number, error: unknown): void {
    if (this.#ended) return;
    this.#calls.broken(METHOD, error);
    this.#answer(requestId, this.#refusalOf(requestId, error));
  }

  #answer(requestId: number, response: ExecuteResponse): void {
    if (this.#ended) return;
    this.#chars -= this.#underWay.get(requestId)?.chars ?? 0;
    this.#underWay.delete(requestId);
    this.#write(response);
    this.#endWhenDone();
  }

  #write(response: ExecuteResponse): void {
    const chars = response.result?.$case === "run" ? response.result.value.output.length : 0;
    this.#unwritten += 1;
    this.#chars += chars;
    this.#call.write(response, () => {
      this.#unwritten -= 1;
      this.#chars -= chars;
      this.#regulate();
    });
    this.#regulate();
  }

  /** Reads on, or stops reading. */
  #regulate(): void {
    if (this.#ended) return;
    const isFull = this.#readInTurn >= LIMITS.executeReadPerTurn || this.#holdsEnough() || this.#mustWait();
    if (isFull === this.#call.isPaused()) return;
    if (isFull) this.#call.pause();
    else this.#call.resume();
  }

  readonly #nextTurn = (): void => {
    this.#readInTurn = 0;
    this.#regulate();
  };

  #holdsEnough(): boolean {
    return this.#underWay.size + this.#unwritten >= LIMITS.executeInFlight || this.#chars >= LIMITS.executeInFlightChars;
  }

  /** Why the node takes no start now: said before anything is done for it. */
  #overload(): unknown {
    try {
      this.#service.intake.requireRoom();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** An overloaded node refuses many requests with one error: its message is made once. */
  #refusalOf(requestId: number, error: unknown): ExecuteResponse {
    if (this.#lastRefusal === undefined || this.#lastRefusal.error !== error) this.#lastRefusal = { error, message: toStatusMessage(error) };
    return { requestId, result: { $case: "error", value: this.#lastRefusal.message } };
  }

  /** So many starts wait on the node that the client's next ones are better left in its connection, where they cost nothing. */
  #mustWait(): boolean {
    const { intake } = this.#service;
    if (!intake.isCrowded) return false;
    this.#giveUpRoom ??= intake.onceRoomy(() => {
      this.#giveUpRoom = undefined;
      this.#regulate();
    });
    return true;
  }

  #endWhenDone(): void {
    if (this.#underWay.size > 0) return;
    if (this.#refusal !== undefined) this.#end(this.#refusal);
    else if (this.#halfClosed) this.#end(undefined);
  }

  #end(reason: MaestroError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#calls.close(this);
    this.#giveUpRoom?.();
    for (const { waiting } of this.#underWay.values()) waiting.abort(reason);
    this.#underWay.clear();
    if (reason === undefined) this.#call.end();
    else this.#call.emit("error", toCallStatus(reason));
    this.#calls.ended(METHOD, this.#startMs, reason);
  }
}

function mistakeOf(request: ExecuteRequest): MaestroError | undefined {
  if (request.requestId === 0) return invalid("request_id", "must be 1 or more.");
  return request.start === undefined ? invalid("start", "is required.") : undefined;
}

function invalid(field: string, reason: string): MaestroError {
  return new MaestroError("FIELD_INVALID", { facts: { field, reason }, violations: [{ field, description: reason }] });
}

function answerOf(requestId: number, outcome: RunOutcome): ExecuteResponse {
  return { requestId, result: { $case: "run", value: resultMessage(outcome) } };
}
