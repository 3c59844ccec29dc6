/**
 * Many executions over one stream: each request gets a number, each answer finds its promise by it. The stream is opened with the first
 * request and again after it broke. It owns the promises: every one settles, also when the stream breaks or the client is closed.
 *
 * Nothing is sent twice by itself: after a break nobody here knows whether a run was started. A caller who wants to try again gives an
 * idempotency key.
 */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { ExecuteRequest, ExecuteResponse, RunResult, StartRunRequest } from "../proto/gen/maestro/v1/run_service.ts";
import { MaestroError } from "../runtime/errors.ts";
import { LIMITS } from "../runtime/limits.ts";
import { fromCallError, fromStatusMessage } from "./grpc-client-errors.ts";

type Stream = ClientDuplexStream<ExecuteRequest, ExecuteResponse>;

interface Pending {
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: MaestroError) => void;
}

/** Executes runs over one stream at a time. */
export class Executions {
  readonly #address: string;
  readonly #open: () => Stream;
  readonly #pending = new Map<number, Pending>();
  #stream: Stream | undefined;
  #lastId = 0;

  /** `open` opens a stream to the gateway at `address`. */
  constructor(address: string, open: () => Stream) {
    this.#address = address;
    this.#open = open;
  }

  /** Executions that wait for their end. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Starts a run and resolves when it has ended. @throws what refused the run; MAILBOX_FULL above LIMITS.pendingReplies in flight. */
  execute(start: StartRunRequest): Promise<RunResult> {
    if (this.#pending.size >= LIMITS.pendingReplies) {
      const facts = { actor: `The client of ${this.#address}`, queued: this.#pending.size };
      return Promise.reject(new MaestroError("MAILBOX_FULL", { facts }));
    }
    return new Promise((resolve, reject) => {
      const stream = this.#stream ?? this.#connect();
      this.#lastId += 1;
      this.#pending.set(this.#lastId, { resolve, reject });
      stream.write({ requestId: this.#lastId, start });
    });
  }

  /** Ends the stream; what waits is rejected with REQUEST_CANCELLED. The runs go on. */
  close(): void {
    this.#stream?.cancel();
    this.#lose(this.#stream, new MaestroError("REQUEST_CANCELLED"));
  }

  #connect(): Stream {
    const stream = this.#open();
    this.#stream = stream;
    stream.on("data", (response: ExecuteResponse) => this.#settle(response));
    stream.on("error", (error: unknown) => {
      this.#lose(stream, fromCallError(error, { address: this.#address, method: "Execute", timeoutMs: undefined }));
    });
    stream.on("end", () => this.#lose(stream, new MaestroError("NODE_STOPPING")));
    return stream;
  }

  #settle({ requestId, result }: ExecuteResponse): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    this.#pending.delete(requestId);
    if (result?.$case === "run") pending.resolve(result.value);
    else pending.reject(fromStatusMessage(result?.value) ?? new MaestroError("INTERNAL", { facts: { reason: "the answer holds no result." } }));
  }

  #lose(stream: Stream | undefined, error: MaestroError): void {
    if (stream === undefined || this.#stream !== stream) return;
    this.#stream = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of lost) reject(error);
  }
}
