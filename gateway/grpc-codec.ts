/**
 * Decoding of requests. Bytes that are no message of the contract are the client's mistake and are answered as such; left to itself, the
 * gRPC library would call them an internal error of the server.
 */
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { MaestroError } from "../runtime/errors.ts";

/** Stands in for a request that could not be decoded, until a handler looks at it. */
const UNDECODABLE: unknown = Object.freeze({});

/** True if the bytes of this request were no message of its type. */
export function isUndecodable(request: unknown): boolean {
  return request === UNDECODABLE;
}

/** The error for such a request. */
export function undecodable(): MaestroError {
  const reason = "its bytes are no message of this method's request type.";
  return new MaestroError("FIELD_INVALID", { facts: { field: "request", reason }, violations: [{ field: "request", description: reason }] });
}

/** The service with decoders that never throw; see {@link isUndecodable}. */
export function withSafeDecoding<S extends ServiceDefinition<UntypedServiceImplementation>>(service: S): S {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => decodeOr(method.requestDeserialize, bytes);
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods) as S;
}

function decodeOr(decode: (bytes: Buffer) => unknown, bytes: Buffer): unknown {
  try {
    return decode(bytes);
  } catch {
    // The decoder's own words are about tags and offsets: nothing that a caller could use.
    return UNDECODABLE;
  }
}
