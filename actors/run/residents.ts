/**
 * Which runs have an actor in memory on this node, and what they do there: for admission, for those who await an end, and for the wake-up auditor.
 */
import type { RunId } from "../../runtime/ids.ts";

/** What a resident run does: it is admitted and about to come, is being read, has work under way, only waits, or has ended and is about to leave. */
export type Residence = "admitted" | "coming" | "active" | "waiting" | "ended";

/** The resident runs. */
export class Residents {
  readonly #runs = new Map<RunId, Residence>();
  #active = 0;

  /** Number of runs with work under way, those included that were admitted and are on their way. */
  get activeCount(): number {
    return this.#active;
  }

  /** True if the run has an actor in memory, or is about to. */
  has(runId: RunId): boolean {
    return this.#runs.has(runId);
  }

  /** True if the run has an actor in memory that will yet tell of the run's end. */
  willTell(runId: RunId): boolean {
    const residence = this.#runs.get(runId);
    return residence === "active" || residence === "waiting";
  }

  /** A run's actor came to memory. */
  add(runId: RunId): void {
    if (!this.#runs.has(runId)) this.note(runId, "coming");
  }

  /** An admitted run did not come. */
  withdraw(runId: RunId): void {
    if (this.#runs.get(runId) === "admitted") this.remove(runId);
  }

  /** What a resident run does now. */
  note(runId: RunId, residence: Residence): void {
    const before = this.#runs.get(runId);
    if (before === residence) return;
    this.#runs.set(runId, residence);
    this.#active += Number(isWork(residence)) - Number(isWork(before));
  }

  /** A run's actor left memory. */
  remove(runId: RunId): void {
    if (isWork(this.#runs.get(runId))) this.#active -= 1;
    this.#runs.delete(runId);
  }
}

function isWork(residence: Residence | undefined): boolean {
  return residence === "active" || residence === "admitted";
}
