/**
 * The register of actors that are parked because they kept failing. It shows them; the cells park and release themselves.
 */

/** An actor in quarantine. */
export interface QuarantineEntry {
  readonly path: string;
  /** Failures within the window that led here. */
  readonly failures: number;
  /** What was thrown last. */
  readonly error: unknown;
  /** Since when, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** The quarantined actors of one system. As bounded as the live actors are: each is one. */
export class Quarantine {
  readonly #entries = new Map<string, QuarantineEntry>();

  /** Number of quarantined actors. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds an actor. */
  add(entry: QuarantineEntry): void {
    this.#entries.set(entry.path, entry);
  }

  /** Takes an actor out, as it was released or stopped. */
  remove(path: string): void {
    this.#entries.delete(path);
  }

  /** All, the longest quarantined first. */
  list(): readonly QuarantineEntry[] {
    return [...this.#entries.values()];
  }
}
