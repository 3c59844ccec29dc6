/**
 * Watching a run: its history from a sequence number, then what is committed while one looks, until the run has ended. A watcher reads the journal;
 * the run only tells it that there is more, so a slow watcher costs no memory and misses nothing.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { HistoryEntry } from "../runs.ts";
import { describe } from "./core/history.ts";
import { entriesAfter, fold, quarantined, type RunSource, stateBefore } from "./loading.ts";
import type { RunHub } from "./run-hub.ts";

/** Entries from `fromSeq` on, live after the stored ones; ends when the run has ended or `signal` is aborted. @throws RUN_NOT_FOUND, RUN_QUARANTINED */
export async function* watchRun(
  source: RunSource & { readonly hub: RunHub },
  runId: RunId,
  fromSeq: number,
  signal: AbortSignal,
): AsyncGenerator<HistoryEntry> {
  const growth = new Growth(signal);
  const unregister = source.hub.onGrowth(runId, () => growth.notify());
  try {
    const state = await stateBefore(source, runId, fromSeq);
    for (let seenSeq = 0; !signal.aborted; ) {
      for await (const entries of entriesAfter(source, state)) {
        for (const entry of entries) {
          const described = fold(state, entry, describe);
          if (described.seq >= fromSeq) yield described;
        }
      }
      if (state.status !== "running") return;
      // Only a run that did not grow may be one that will not.
      if (state.lastSeq === seenSeq) await throwIfQuarantined(source, runId);
      seenSeq = state.lastSeq;
      await growth.next();
    }
  } finally {
    unregister();
    growth.close();
  }
}

async function throwIfQuarantined(source: RunSource, runId: RunId): Promise<void> {
  const head = await source.journal.find(runId);
  if (head?.status === "quarantined") throw quarantined(runId, head.errorMessage);
}

/** "There is more", remembered until somebody asks. */
class Growth {
  #grown = false;
  #wake: (() => void) | undefined;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.notify();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  notify(): void {
    this.#grown = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#grown && !this.#signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#grown = false;
    this.#wake = undefined;
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#abort);
  }
}
