/**
 * What a gRPC call failed with, as an error of the registry again: the counterpart of `grpc-status.ts` on the client's side. A failure
 * without our details came from the transport or from another server; it becomes the error of the registry that fits its status best.
 */
import { status as grpcCodes, type ServiceError } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo, RetryInfo } from "../proto/gen/google/rpc/error_details.ts";
import { Status } from "../proto/gen/google/rpc/status.ts";
import { ERRORS } from "../runtime/error-registry.ts";
import { type ErrorCode, type ErrorDetail, MaestroError, messageOf } from "../runtime/errors.ts";
import { DETAIL_TYPES, DETAILS_TRAILER, ERROR_DOMAIN } from "./grpc-status.ts";

/** The call that failed, for errors that have no details of their own. */
export interface FailedCall {
  /** The gateway's address. */
  readonly address: string;
  /** Name of the method. */
  readonly method: string;
  /** The deadline that it had. */
  readonly timeoutMs: number | undefined;
}

/** The error that a call failed with. */
export function fromCallError(error: unknown, call: FailedCall): MaestroError {
  if (error instanceof MaestroError) return error;
  if (!isServiceError(error)) return new MaestroError("INTERNAL", { facts: { reason: messageOf(error) }, cause: error });
  const [details] = error.metadata?.get(DETAILS_TRAILER) ?? [];
  const known = details instanceof Buffer ? fromStatusMessage(decodeStatus(details)) : undefined;
  return known ?? withoutDetails(error, call);
}

/** The error in a `google.rpc.Status`; undefined if it is none of ours. */
export function fromStatusMessage(message: Status | undefined): MaestroError | undefined {
  let code: ErrorCode | undefined;
  let detail: ErrorDetail = {};
  for (const { typeUrl, value } of message?.details ?? []) {
    if (typeUrl === DETAIL_TYPES.errorInfo) {
      const { domain, reason, metadata } = ErrorInfo.decode(value);
      if (domain === ERROR_DOMAIN && isErrorCode(reason)) code = reason;
      detail = { ...detail, facts: metadata };
    } else if (typeUrl === DETAIL_TYPES.badRequest) {
      detail = { ...detail, violations: BadRequest.decode(value).fieldViolations };
    } else if (typeUrl === DETAIL_TYPES.retryInfo) {
      const { seconds = 0, nanos = 0 } = RetryInfo.decode(value).retryDelay ?? {};
      detail = { ...detail, retryAfterMs: seconds * 1000 + nanos / 1e6 };
    }
  }
  return code === undefined ? undefined : new MaestroError(code, detail);
}

function decodeStatus(bytes: Buffer): Status | undefined {
  try {
    return Status.decode(bytes);
  } catch {
    // Another server's trailer of the same name: the plain status says what there is to say.
    return undefined;
  }
}

function withoutDetails(error: ServiceError, call: FailedCall): MaestroError {
  const cause = error;
  const reason = error.details;
  switch (error.code) {
    case grpcCodes.UNAVAILABLE:
      return new MaestroError("NODE_UNREACHABLE", { facts: { address: call.address, reason: withoutFrame(reason) }, cause });
    case grpcCodes.DEADLINE_EXCEEDED:
      return new MaestroError("TIMED_OUT", { facts: { what: `${call.method} at ${call.address}`, timeoutMs: call.timeoutMs ?? 0 }, cause });
    case grpcCodes.CANCELLED:
      return new MaestroError("REQUEST_CANCELLED", { cause });
    case grpcCodes.RESOURCE_EXHAUSTED:
      return (
        tooLarge(reason, cause) ??
        new MaestroError("FIELD_INVALID", {
          facts: { field: "request", reason },
          violations: [{ field: "request", description: reason }],
          cause,
        })
      );
    default:
      return new MaestroError("INTERNAL", { facts: { reason: error.message }, cause });
  }
}

/** The gRPC library of the other side refuses what exceeds its bound of a message before the gateway sees it, in words of its own. */
function tooLarge(reason: string, cause: ServiceError): MaestroError | undefined {
  const [, bytes, limit] = /larger than max \((\d+) vs\.? (\d+)\)/.exec(reason) ?? [];
  if (bytes === undefined || limit === undefined) return undefined;
  return new MaestroError("MESSAGE_TOO_LARGE", { facts: { field: "The request", bytes: Number(bytes), limit: Number(limit) }, cause });
}

/** What kept a connection from being made, without the words that the gRPC library puts around it. */
function withoutFrame(reason: string): string {
  return reason.replace(/^No connection established\. Last error: (?:Error: )?/, "").replace(/\.?\s*Resolution note:\s*$/, "");
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
