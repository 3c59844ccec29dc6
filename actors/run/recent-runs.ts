/**
 * Runs that ended on this node a moment ago, as they are shown: whoever waited for an end asks for the run next, and should not have it read back for
 * that. A cache of the journal; what has ended does not change.
 */
import type { RunId } from "../../runtime/ids.ts";
import { Ring } from "../../runtime/kernel/ring.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { RunView } from "../runs.ts";

/** The runs. */
export class RecentRuns {
  readonly #views = new Map<RunId, RunView>();
  /** The same, the latest last: a map that loses its first entries gets slow at finding the next. */
  readonly #order = new Ring<RunView>();
  #chars = 0;

  /** The run, if it ended a moment ago. */
  get(runId: RunId): RunView | undefined {
    return this.#views.get(runId);
  }

  /** A run's end was committed. */
  add(view: RunView): void {
    const chars = charsOf(view);
    if (chars > LIMITS.recentRunChars || this.#views.has(view.runId)) return;
    this.#views.set(view.runId, view);
    this.#order.push(view);
    this.#chars += chars;
    while (this.#order.length > LIMITS.recentRuns || this.#chars > LIMITS.recentRunsChars) {
      const oldest = this.#order.shift();
      if (oldest === undefined) return;
      this.#views.delete(oldest.runId);
      this.#chars -= charsOf(oldest);
    }
  }
}

function charsOf(view: RunView): number {
  return view.input.length + (view.output?.length ?? 0);
}
