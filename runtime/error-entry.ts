/**
 * The form of an entry in the registry of errors.
 */

/** Names of gRPC status codes that errors map to. */
type GrpcStatusName =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "CANCELLED"
  | "DATA_LOSS"
  | "INTERNAL";

/** What the registry says of a code. */
export interface RegisteredError {
  readonly grpc: GrpcStatusName;
  readonly http: number;
  /** True if the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** What happened. `{name}` stands for a fact of the error. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

/** An entry of the registry, on few lines. */
export const entry = (grpc: GrpcStatusName, http: number, retryable: boolean, message: string, advice: string): RegisteredError => ({
  grpc,
  http,
  retryable,
  message,
  advice,
});
