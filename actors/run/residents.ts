/**
 * Which runs have an actor in memory on this node, for admission and for the wake-up auditor.
 */
import type { RunId } from "../../runtime/ids.ts";

/** The set of resident runs. */
export class Residents {
  readonly #runs = new Set<RunId>();

  /** Number of resident runs. */
  get size(): number {
    return this.#runs.size;
  }

  /** True if the run has an actor in memory. */
  has(runId: RunId): boolean {
    return this.#runs.has(runId);
  }

  /** A run's actor came to memory. */
  add(runId: RunId): void {
    this.#runs.add(runId);
  }

  /** A run's actor left memory. */
  remove(runId: RunId): void {
    this.#runs.delete(runId);
  }
}
