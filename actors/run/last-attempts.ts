/**
 * Attempts of shards that are being handed over: waits until the end of each is committed, or until their time is up.
 */
import type { Clock } from "../../runtime/clock.ts";

/** One wait. */
export class LastAttempts {
  readonly #ids: Set<string>;
  readonly #over = Promise.withResolvers<void>();

  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
    if (this.#ids.size === 0) this.#over.resolve();
  }

  /** Those that have not ended. */
  get left(): Iterable<string> {
    return this.#ids;
  }

  /** An attempt, one of these or another, is forgotten. */
  ended(id: string): void {
    if (this.#ids.delete(id) && this.#ids.size === 0) this.#over.resolve();
  }

  /** Resolves when none is left, or after `graceMs`. */
  async wait(graceMs: number, clock: Clock): Promise<void> {
    const cancel = clock.schedule(graceMs, () => this.#over.resolve());
    await this.#over.promise;
    cancel();
  }
}
