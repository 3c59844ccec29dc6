/**
 * A bound on how long a promise is awaited.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";

/** Settles as `promise` does, or rejects with TIMED_OUT that names `what`, after `timeoutMs`. What the promise gives later is dropped. */
export function within<T>(clock: Clock, promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(timeoutMs, () => reject(new MaestroError("TIMED_OUT", { facts: { what, timeoutMs } })));
    promise.then(resolve, reject).finally(cancel);
  });
}
