/**
 * Which runs have an actor in memory on this node, and which of those have work under way: for admission and for the wake-up auditor.
 */
import type { RunId } from "../../runtime/ids.ts";

/** The set of resident runs. */
export class Residents {
  readonly #runs = new Set<RunId>();
  readonly #active = new Set<RunId>();

  /** Number of resident runs with work under way. */
  get activeCount(): number {
    return this.#active.size;
  }

  /** True if the run has an actor in memory. */
  has(runId: RunId): boolean {
    return this.#runs.has(runId);
  }

  /** A run's actor came to memory. */
  add(runId: RunId): void {
    this.#runs.add(runId);
  }

  /** Whether a resident run has work under way. */
  note(runId: RunId, isActive: boolean): void {
    if (isActive) this.#active.add(runId);
    else this.#active.delete(runId);
  }

  /** A run's actor left memory. */
  remove(runId: RunId): void {
    this.#runs.delete(runId);
    this.#active.delete(runId);
  }
}
