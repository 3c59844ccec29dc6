/**
 * A question that may wait for long and changes nothing, so that it may be asked again: when the node that was asked goes away, the next one is asked.
 */
import type { Clock } from "../runtime/clock.ts";
import { toMaestroError } from "../runtime/errors.ts";
import type { CallSettings } from "./grpc-client-call.ts";

/** Times in a row that it may fail soon after it was asked. */
const FAILURES_MAX = 8;
/** A question that was waited for so long was heard. */
const HEARD_AFTER_MS = 5_000;
/** Wait before the first repetition; it doubles with each failure. */
const RETRY_DELAY_MS = 50;
const RETRY_DELAY_MAX_MS = 2_000;

/** Failures of the node or of the way to it. An overload, or a deadline, is the caller's to know. */
const PASSING: ReadonlySet<string> = new Set(["NODE_STOPPING", "NODE_UNREACHABLE"]);

/**
 * Asks until there is an answer. `settings.timeoutMs` bounds the whole.
 *
 * @throws what does not pass by asking again, or came {@link FAILURES_MAX} times in a row
 */
export async function askPatiently<T>(ask: (settings: CallSettings) => Promise<T>, settings: CallSettings, clock: Clock): Promise<T> {
  const endMs = clock.monotonic() + (settings.timeoutMs ?? Number.POSITIVE_INFINITY);
  for (let failures = 1; ; failures++) {
    const askedAtMs = clock.monotonic();
    try {
      return await ask({ ...settings, timeoutMs: endMs - askedAtMs });
    } catch (error) {
      const { code } = toMaestroError(error);
      const nowMs = clock.monotonic();
      if (nowMs - askedAtMs >= HEARD_AFTER_MS) failures = 1;
      const delayMs = Math.min(RETRY_DELAY_MS * 2 ** (failures - 1), RETRY_DELAY_MAX_MS);
      if (!PASSING.has(code) || failures >= FAILURES_MAX || nowMs + delayMs >= endMs || settings.signal?.aborted === true) throw error;
      await new Promise<void>((resolve) => void clock.schedule(delayMs, resolve));
    }
  }
}
