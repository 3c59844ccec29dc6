/**
 * Waiting until the map shows something new, because an owner could not be reached: not for long, because the map is not all that may change.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import type { ClusterMap } from "./cluster-map.ts";

/** First and longest wait before an owner is asked again, in milliseconds; up to half of it is chance. */
const FIRST_MS = 10;
const MAX_MS = 500;

/** What it needs. */
export interface MapChangesOptions {
  readonly map: ClusterMap;
  readonly clock: Clock;
  readonly random: Random;
}

/** The waits of one node. As many as there are calls in trouble. */
export class MapChanges {
  readonly #options: MapChangesOptions;
  readonly #waiting = new Set<() => void>();
  readonly #unsubscribe: () => void;

  constructor(options: MapChangesOptions) {
    this.#options = options;
    this.#unsubscribe = options.map.onChange(() => this.#wakeAll());
  }

  /** Resolves when the map is newer than `seenVersion`, or after a time that grows with `attempt`, counted from 0. Aborting ends the wait. */
  wait(seenVersion: number, attempt: number, signal?: AbortSignal): Promise<void> {
    const longestMs = Math.min(FIRST_MS * 2 ** Math.min(attempt, 16), MAX_MS);
    return this.waitFor(seenVersion, longestMs * (0.5 + this.#options.random.fraction() / 2), signal);
  }

  /** Resolves when the map is newer than `seenVersion`, or after a time. Aborting ends the wait. */
  async waitFor(seenVersion: number, longestMs: number, signal?: AbortSignal): Promise<void> {
    const { map, clock } = this.#options;
    if (map.view.version > seenVersion || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#waiting.delete(end);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const cancel = clock.schedule(longestMs, end);
      this.#waiting.add(end);
      signal?.addEventListener("abort", end, { once: true });
    });
  }

  /** Ends all waits, and wakes nobody any more when the map changes. */
  close(): void {
    this.#unsubscribe();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const end of [...this.#waiting]) end();
  }
}
