/**
 * Errors of responders on their way back to who asked: an answer with a header that says so, and the error as JSON. Part of the wire format between
 * nodes: what is here may be added to, not changed.
 */
import { ERRORS } from "../error-registry.ts";
import { type ErrorCode, MaestroError } from "../errors.ts";
import type { BusHeaders } from "./bus.ts";
import { OWN_HEADER_PREFIX } from "./subject.ts";

const ERROR_HEADER = `${OWN_HEADER_PREFIX}Error`;

interface ErrorText {
  readonly facts?: Record<string, string | number>;
  readonly violations?: MaestroError["violations"];
  readonly retryAfterMs?: number;
}

/** The answer that carries an error. */
export function errorAnswer(error: MaestroError): { readonly payload: Uint8Array; readonly headers: BusHeaders } {
  const text: ErrorText = {
    facts: error.facts,
    violations: error.violations,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
  return { payload: new TextEncoder().encode(JSON.stringify(text)), headers: { [ERROR_HEADER]: error.code } };
}

/** The error that an answer carries, or undefined for any other answer. A code that this version does not know is INTERNAL. */
export function errorInAnswer(headers: BusHeaders, payload: Uint8Array): MaestroError | undefined {
  const code = headers[ERROR_HEADER];
  if (code === undefined) return undefined;
  if (!Object.hasOwn(ERRORS, code)) return new MaestroError("INTERNAL", { facts: { reason: `another node answered with ${code}` } });
  try {
    return new MaestroError(code as ErrorCode, JSON.parse(new TextDecoder().decode(payload)) as ErrorText);
  } catch (cause) {
    return new MaestroError("INTERNAL", { facts: { reason: `another node answered with ${code}, and unreadable details` }, cause });
  }
}
