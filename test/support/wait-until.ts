/**
 * Waiting in tests. A test never sleeps for a guessed time: it names the condition that it waits for, and fails with that name when the
 * deadline has passed.
 */
import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 5;

/**
 * Polls `condition` until it gives anything but `undefined` or `false`, and resolves with what it gave.
 *
 * @param what what is awaited, as it should read in "timed out waiting for ...".
 * @param condition may be asynchronous. What it throws is kept and shown if the deadline passes, and polling goes on.
 * @param timeoutMs deadline in milliseconds; 10,000 by default.
 * @throws Error that names `what`, and has the condition's last error as its cause.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`, { cause });
    await pause(POLL_MS);
  }
}
