/**
 * Run ids as bounds of queries: their order is the order of time.
 */

/** The smallest id of a time, in milliseconds since the epoch. No run has it; those created then or later have larger ones. */
export function firstIdAt(timeMs: number): string {
  const time = Math.min(Math.max(Math.ceil(timeMs), 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
