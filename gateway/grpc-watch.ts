/**
 * One `Watch` stream: a run's history, written as fast as the client reads and no faster. While the client does not read, nothing is asked
 * of the run's history either.
 */
import { once } from "node:events";
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import type { WatchRunRequest, WatchRunResponse } from "../proto/gen/maestro/v1/run_service.ts";
import type { MaestroError } from "../runtime/errors.ts";
import type { Calls, OpenCall } from "./grpc-calls.ts";
import { isUndecodable, undecodable } from "./grpc-codec.ts";
import { onCancelled } from "./grpc-deadline.ts";
import { entryMessage } from "./grpc-messages.ts";
import { toCallStatus } from "./grpc-status.ts";
import type { RunService } from "./service/run-service.ts";

const METHOD = "RunService/Watch";

/** The stream of one call. */
export class WatchStream implements OpenCall {
  readonly #service: RunService;
  readonly #calls: Calls;
  readonly #call: ServerWritableStream<WatchRunRequest, WatchRunResponse>;
  readonly #abort = new AbortController();

  constructor(service: RunService, calls: Calls, call: ServerWritableStream<WatchRunRequest, WatchRunResponse>) {
    this.#service = service;
    this.#calls = calls;
    this.#call = call;
  }

  /** Serves until the run has ended, the client has gone or the server drains. Never rejects. */
  async serve(): Promise<void> {
    const startMs = this.#calls.clock.monotonic();
    this.#calls.open(this);
    onCancelled(this.#call, this.#calls.clock, (reason) => this.#abort.abort(reason()));
    try {
      await this.#write();
      this.#call.end();
      this.#calls.ended(METHOD, startMs);
    } catch (error) {
      // What was aborted may fail in words of its own (a wait for the client's reading does): the reason says it better.
      const reason = this.#abort.signal.aborted ? this.#abort.signal.reason : error;
      this.#call.emit("error", toCallStatus(reason));
      this.#calls.ended(METHOD, startMs, reason);
    } finally {
      this.#calls.close(this);
    }
  }

  /** A watch has no end of its own: it ends now, and the client goes on watching elsewhere. */
  drain(reason: MaestroError): void {
    this.#abort.abort(reason);
  }

  stop(reason: MaestroError): void {
    this.#abort.abort(reason);
  }

  async #write(): Promise<void> {
    const { signal } = this.#abort;
    if (isUndecodable(this.#call.request)) throw undecodable();
    const entries = this.#service.watch(this.#call.request, signal);
    this.#call.sendMetadata(new Metadata());
    for await (const entry of entries) {
      signal.throwIfAborted();
      if (!this.#call.write({ entry: entryMessage(entry) })) await once(this.#call, "drain", { signal });
    }
    signal.throwIfAborted();
  }
}
