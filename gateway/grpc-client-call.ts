/**
 * One unary call as a promise: with a deadline, an AbortSignal, and errors of the registry.
 */
import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { Clock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";
import { fromCallError } from "./grpc-client-errors.ts";

/** What a caller may say about one call. */
export interface CallSettings {
  /** Milliseconds that the call may take. Default: that of the client; Infinity for no deadline. */
  readonly timeoutMs?: number;
  /** Aborting it cancels the call (REQUEST_CANCELLED). Default: that of the client. */
  readonly signal?: AbortSignal;
  /** W3C trace context that the call continues. */
  readonly traceParent?: string;
}

/** A unary method of a generated client, bound to it. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Makes the calls of one client. */
export class UnaryCalls {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #isClosed = false;

  constructor(address: string, clock: Clock, timeoutMs: number, signal?: AbortSignal) {
    this.#address = address;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /** Takes no calls any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Lets calls pass until {@link close}: the gRPC library itself answers later ones with a plain error. @throws CLIENT_CLOSED */
  requireOpen(): void {
    if (this.#isClosed) throw new MaestroError("CLIENT_CLOSED", { facts: { address: this.#address } });
  }

  /** Calls a method once. `name` is for error messages. @throws MaestroError */
  call<Request, Response>(name: string, method: UnaryMethod<Request, Response>, request: Request, settings: CallSettings = {}): Promise<Response> {
    const timeoutMs = settings.timeoutMs ?? this.#timeoutMs;
    const signal = settings.signal ?? this.#signal;
    return new Promise((resolve, reject) => {
      this.requireOpen();
      const call = method(request, metadataOf(settings), { deadline: this.#clock.now() + timeoutMs }, (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (error === null) resolve(response);
        else reject(fromCallError(error, { address: this.#address, method: name, timeoutMs }));
      });
      const cancel = (): void => call.cancel();
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted === true) cancel();
    });
  }
}

/** Metadata of a call. */
export function metadataOf(settings: CallSettings): Metadata {
  const metadata = new Metadata();
  if (settings.traceParent !== undefined) metadata.set("traceparent", settings.traceParent);
  return metadata;
}
