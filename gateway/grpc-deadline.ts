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
 * Calls `ended` when the client has cancelled the call or went away, or its deadline passed. It is called after the call was answered, too: the library
 * does not tell that apart. So the reason (REQUEST_CANCELLED, TIMED_OUT) is made for who wants it only: an error for each answered call would be dear.
 */
export function onCancelled(call: CancellableCall, clock: Clock, ended: (reason: () => MaestroError) => void): void {
  const startMs = clock.now();
  call.on("cancelled", () => {
    ended(() => {
      const deadlineMs = Number(call.getDeadline());
      if (clock.now() < deadlineMs) return new MaestroError("REQUEST_CANCELLED");
      return new MaestroError("TIMED_OUT", { facts: { what: "The call", timeoutMs: deadlineMs - startMs } });
    });
  });
}
