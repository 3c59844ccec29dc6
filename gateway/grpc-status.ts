/**
 * Errors of the registry as gRPC statuses, and back. What a client gets: the status code, a message that says what happened and what to
 * do, and in the trailer `grpc-status-details-bin` a `google.rpc.Status` with ErrorInfo (the code of our registry and its facts),
 * BadRequest (what is wrong with which field) and RetryInfo. Errors that are none of the registry tell a client nothing of themselves.
 */
import { status as grpcCodes, Metadata, type StatusObject } from "@grpc/grpc-js";
import type { Any } from "../proto/gen/google/protobuf/any.ts";
import { BadRequest, ErrorInfo, RetryInfo } from "../proto/gen/google/rpc/error_details.ts";
import { Status } from "../proto/gen/google/rpc/status.ts";
import { ERRORS } from "../runtime/error-registry.ts";
import { MaestroError, type Violation } from "../runtime/errors.ts";
import { LIMITS } from "../runtime/limits.ts";

/** Domain of our ErrorInfo. Wire contract: must not change. */
export const ERROR_DOMAIN = "maestro";

/** Trailer with the encoded `google.rpc.Status`. Set by gRPC's conventions. */
export const DETAILS_TRAILER = "grpc-status-details-bin";

const TYPE_PREFIX = "type.googleapis.com/";
/** Type URLs of the details. */
export const DETAIL_TYPES = {
  errorInfo: `${TYPE_PREFIX}google.rpc.ErrorInfo`,
  badRequest: `${TYPE_PREFIX}google.rpc.BadRequest`,
  retryInfo: `${TYPE_PREFIX}google.rpc.RetryInfo`,
} as const;

/** Characters of one fact or description; a longer one is cut. */
const FACT_LENGTH = 256;

/** The error as a client may see it: itself, or INTERNAL that says nothing of the inside. */
export function presentable(error: unknown): MaestroError {
  if (error instanceof MaestroError && (error.code !== "INTERNAL" || error.cause === undefined)) return error;
  return new MaestroError("INTERNAL", { facts: { reason: "the node's log says more." } });
}

/** The error as a `google.rpc.Status` message, small enough for a header. */
export function toStatusMessage(error: unknown): Status {
  const shown = presentable(error);
  const details = [errorInfo(shown)];
  if (shown.retryAfterMs !== undefined) details.push(retryInfo(shown.retryAfterMs));
  const usedBytes = details.reduce((sum, detail) => sum + detail.value.length, 0);
  if (shown.violations.length > 0) details.push(badRequest(shown.violations, LIMITS.statusDetailBytes - usedBytes));
  return { code: grpcCodes[ERRORS[shown.code].grpc], message: cut(`${shown.message} ${shown.advice}`, LIMITS.statusMessageLength), details };
}

/** The error as the status that ends a call. */
export function toCallStatus(error: unknown): StatusObject {
  const message = toStatusMessage(error);
  const metadata = new Metadata();
  metadata.set(DETAILS_TRAILER, Buffer.from(Status.encode(message).finish()));
  return { code: message.code, details: message.message, metadata };
}

function errorInfo(error: MaestroError): Any {
  const metadata: Record<string, string> = {};
  let leftBytes = LIMITS.statusDetailBytes / 2;
  for (const [name, fact] of Object.entries(error.facts)) {
    const text = cut(String(fact), FACT_LENGTH);
    leftBytes -= name.length + Buffer.byteLength(text);
    if (leftBytes < 0) break;
    metadata[name] = text;
  }
  const info = { reason: error.code, domain: ERROR_DOMAIN, metadata };
  return { typeUrl: DETAIL_TYPES.errorInfo, value: Buffer.from(ErrorInfo.encode(info).finish()) };
}

function retryInfo(retryAfterMs: number): Any {
  const retryDelay = { seconds: Math.floor(retryAfterMs / 1000), nanos: Math.round((retryAfterMs % 1000) * 1e6) };
  return { typeUrl: DETAIL_TYPES.retryInfo, value: Buffer.from(RetryInfo.encode({ retryDelay }).finish()) };
}

/** As many violations as fit; if some do not, the last one says how many. */
function badRequest(violations: readonly Violation[], limitBytes: number): Any {
  const fieldViolations: Violation[] = [];
  let leftBytes = limitBytes - FACT_LENGTH;
  for (const violation of violations) {
    const shown = { field: cut(violation.field, FACT_LENGTH), description: cut(violation.description, FACT_LENGTH) };
    leftBytes -= Buffer.byteLength(shown.field) + Buffer.byteLength(shown.description) + VIOLATION_OVERHEAD_BYTES;
    if (leftBytes < 0) {
      fieldViolations.push({ field: "", description: `and ${violations.length - fieldViolations.length} more.` });
      break;
    }
    fieldViolations.push(shown);
  }
  return { typeUrl: DETAIL_TYPES.badRequest, value: Buffer.from(BadRequest.encode({ fieldViolations }).finish()) };
}

/** Tags and lengths of an encoded violation. */
const VIOLATION_OVERHEAD_BYTES = 12;

/**
 * The text in at most `length` characters. Halves of surrogate pairs are replaced, whether the cut made them or a user's JSON did: neither
 * protobuf nor the percent-encoding of the `grpc-message` header takes them.
 */
function cut(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
}
