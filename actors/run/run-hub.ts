/**
 * Who waits for what a run commits: callers that await its end, and watchers that want to know of new history. In memory, on the run's node; it holds
 * no truth, and whoever registers checks the journal afterwards, so nothing can slip between.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { RunOutcome } from "../runs.ts";

/** Told when a run has ended, once. */
export type OutcomeListener = (outcome: RunOutcome) => void;
/** Told that the run's history has grown. */
export type GrowthListener = () => void;

/** The registrations of one node. As many as there are calls in flight. */
export class RunHub {
  readonly #outcomes = new Map<RunId, Set<OutcomeListener>>();
  readonly #growth = new Map<RunId, Set<GrowthListener>>();

  /** Registers for a run's end; the returned function takes it back. */
  onOutcome(runId: RunId, listener: OutcomeListener): () => void {
    return register(this.#outcomes, runId, listener);
  }

  /** Registers for growth of a run's history; the returned function takes it back. */
  onGrowth(runId: RunId, listener: GrowthListener): () => void {
    return register(this.#growth, runId, listener);
  }

  /** The run's end was committed. */
  ended(outcome: RunOutcome): void {
    const listeners = this.#outcomes.get(outcome.runId);
    if (listeners === undefined) return;
    this.#outcomes.delete(outcome.runId);
    for (const listener of listeners) listener(outcome);
  }

  /** Entries of the run were committed. */
  grew(runId: RunId): void {
    const listeners = this.#growth.get(runId);
    if (listeners === undefined) return;
    for (const listener of listeners) listener();
  }
}

function register<L>(all: Map<RunId, Set<L>>, runId: RunId, listener: L): () => void {
  const listeners = all.get(runId) ?? new Set<L>();
  all.set(runId, listeners);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && all.get(runId) === listeners) all.delete(runId);
  };
}
