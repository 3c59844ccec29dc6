/**
 * Who waits for what a run commits: callers that await its end, and watchers that want to know of new history. In memory, on the run's node; it holds
 * no truth, and whoever registers checks the journal afterwards, so nothing can slip between.
 */
import type { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { RunOutcome } from "../runs.ts";

/** Awaits a run's end. One of the two is called, once. */
export interface OutcomeListener {
  ended(outcome: RunOutcome): void;
  /** The run will not end by itself: it is not there, or quarantined. */
  failed(error: MaestroError): void;
}
/** Told that the run's history has grown, or that it will not grow by itself. */
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
    for (const listener of this.#take(outcome.runId)) listener.ended(outcome);
  }

  /** The run can't be had, or does not go on. */
  failed(runId: RunId, error: MaestroError): void {
    for (const listener of this.#take(runId)) listener.failed(error);
    this.grew(runId);
  }

  /** Runs left this node: whoever awaits something of them has to ask elsewhere. */
  moved(isMoved: (runId: RunId) => boolean, errorOf: (runId: RunId) => MaestroError): void {
    for (const runId of new Set([...this.#outcomes.keys(), ...this.#growth.keys()])) if (isMoved(runId)) this.failed(runId, errorOf(runId));
  }

  /** Entries of the run were committed. */
  grew(runId: RunId): void {
    const listeners = this.#growth.get(runId);
    if (listeners === undefined) return;
    for (const listener of listeners) listener();
  }

  #take(runId: RunId): Iterable<OutcomeListener> {
    const listeners = this.#outcomes.get(runId);
    if (listeners === undefined) return [];
    this.#outcomes.delete(runId);
    return listeners;
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
