/**
 * Watching a run: its history from a sequence number, then what is committed while one looks, until the run has ended. A watcher reads the journal;
 * the run only tells it that there is more, so a slow watcher costs no memory and misses nothing.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { HistoryEntry } from "../runs.ts";
import { decodeEntries } from "./entry.ts";
import { describe } from "./history.ts";
import { loadRun, type RunSource } from "./loading.ts";
import type { RunHub } from "./run-hub.ts";
import { emptyRun, type RunState } from "./state.ts";

/** Rows of the journal read at once. */
const ROWS_PER_READ = 200;

/** Entries from `fromSeq` on, live after the stored ones; ends when the run has ended or `signal` is aborted. @throws RUN_NOT_FOUND */
export async function* watchRun(
  source: RunSource & { readonly hub: RunHub },
  runId: RunId,
  fromSeq: number,
  signal: AbortSignal,
): AsyncGenerator<HistoryEntry> {
  const growth = new Growth(signal);
  const unregister = source.hub.onGrowth(runId, () => growth.notify());
  try {
    const { workflow, workflowId } = await loadRun(source, runId);
    const state = emptyRun(runId, workflowId, workflow);
    while (!signal.aborted) {
      for await (const entry of readOn(source, state)) if (entry.seq >= fromSeq) yield entry;
      if (state.status !== "running") return;
      await growth.next();
    }
  } finally {
    unregister();
    growth.close();
  }
}

/** The entries that the state has not seen yet. */
async function* readOn(source: RunSource, state: RunState): AsyncGenerator<HistoryEntry> {
  for (;;) {
    const fromSeq = state.lastSeq + 1;
    const rows = await source.journal.read(state.runId, fromSeq, ROWS_PER_READ);
    for (const row of rows) {
      const entries = decodeEntries(state.runId, row.firstSeq, row.entries);
      for (const entry of entries.slice(Math.max(0, fromSeq - row.firstSeq))) yield describe(state, entry);
    }
    if (rows.length < ROWS_PER_READ) return;
  }
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
