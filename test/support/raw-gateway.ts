/**
 * A gateway's streams and bytes without the typed client in between, for tests that need to misbehave.
 */
import { type ClientDuplexStream, credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { type ExecuteRequest, type ExecuteResponse, RunServiceClient } from "../../proto/gen/maestro/v1/run_service.ts";

/** What a raw call ended with. */
export interface RawStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** An open Execute stream. */
export class RawExecute {
  readonly client: RunServiceClient;
  readonly stream: ClientDuplexStream<ExecuteRequest, ExecuteResponse>;
  /** Answers, in the order in which they came. */
  readonly answers: ExecuteResponse[] = [];
  /** Set when the stream has ended. */
  status: RawStatus | undefined;

  constructor(address: string) {
    this.client = new RunServiceClient(address, credentials.createInsecure());
    this.stream = this.client.execute();
    this.stream.on("data", (answer: ExecuteResponse) => this.answers.push(answer));
    this.stream.on("error", () => undefined);
    this.stream.on("status", (status: RawStatus) => {
      this.status = status;
    });
  }

  /** Sends a request to execute the workflow `echo`. */
  send(requestId: number, input = "{}"): void {
    this.stream.write({ requestId, start: { namespace: "", workflow: "echo", version: "", input, idempotencyKey: "", labels: {}, wait: false } });
  }

  close(): void {
    this.stream.cancel();
    this.client.close();
  }
}

/** Sends bytes to a unary method, or to a server stream as its request; resolves with the status. */
export function callRaw(client: RunServiceClient, path: string, bytes: Buffer): Promise<RawStatus> {
  return new Promise((resolve) => {
    const same = (value: Buffer): Buffer => value;
    client.makeUnaryRequest(path, same, same, bytes, (error: ServiceError | null) => {
      resolve(error ?? { code: 0, details: "", metadata: new Map() as unknown as Metadata });
    });
  });
}
