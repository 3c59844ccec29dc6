/**
 * A pause on the clock port.
 */
import type { Clock } from "../clock.ts";

/** Resolves after `delayMs` milliseconds. */
export function pause(delayMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.schedule(delayMs, resolve));
}
