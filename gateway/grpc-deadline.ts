/**
 * A call's deadline and cancellation, carried inward. The gRPC library watches the deadline and then cancels the call, so both arrive as
 * one event; the error that is handed on tells them apart.
 */
import type { Clock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";

/** The part of a call that ends it from outside. */
export interface CancellableCall {
  on(event: "cancelled", listener: () => void): unknown;
  getDeadline(): Date | number;
}

/**
 * Calls `ended` when the client has cancelled the call or went away (REQUEST_CANCELLED), or its deadline passed (TIMED_OUT). It may be
 * called after the call was answered, too: the library does not tell that apart.
 */
export function onCancelled(call: CancellableCall, clock: Clock, ended: (reason: MaestroError) => void): void {
  const startMs = clock.now();
  call.on("cancelled", () => {
    const deadlineMs = Number(call.getDeadline());
    if (clock.now() < deadlineMs) ended(new MaestroError("REQUEST_CANCELLED"));
    else ended(new MaestroError("TIMED_OUT", { facts: { what: "The call", timeoutMs: deadlineMs - startMs } }));
  });
}
