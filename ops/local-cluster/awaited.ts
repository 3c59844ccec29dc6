/**
 * Waiting for something that another process does and does not tell.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { pause } from "../../runtime/storage/pause.ts";

const LOOK_EVERY_MS = 20;

/** Looks again and again until there is something. @throws TIMED_OUT with `what`; what a look throws */
export async function awaited<T>(what: string, look: () => Promise<T | undefined> | T | undefined, timeoutMs: number, clock: Clock): Promise<T> {
  for (const endMs = clock.monotonic() + timeoutMs; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.monotonic() >= endMs) throw new MaestroError("TIMED_OUT", { facts: { what, timeoutMs } });
    await pause(LOOK_EVERY_MS, clock);
  }
}
