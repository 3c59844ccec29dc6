/**
 * Who calls, as far as the service layer needs to know. The skins make it from what their protocol carries.
 */

/** The caller of one request. */
export interface Caller {
  /** Recorded with every run that the caller starts. */
  readonly userId: string;
  /** W3C trace context; empty without one. */
  readonly traceParent: string;
}

/** The caller while there is no authentication: an identity that anyone could claim would be worse than none. */
const ANONYMOUS: Caller = Object.freeze({ userId: "anonymous", traceParent: "" });

/** `traceparent` of the W3C: version, trace id, parent id, flags. */
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller of a request with this `traceparent`. One that is malformed is left out, as the W3C's recommendation asks. */
export function callerWith(traceParent: string | undefined): Caller {
  if (traceParent === undefined || !TRACE_PARENT.test(traceParent)) return ANONYMOUS;
  return { userId: ANONYMOUS.userId, traceParent };
}
