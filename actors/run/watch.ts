/**
 * Watching a run: its history from a sequence number, then what is committed while one looks, until the run has ended. A watcher reads the journal;
 * the run only tells it that there is more, so a slow watcher costs no memory and misses nothing.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { HistoryEntry } from "../runs.ts";
import { decodeEntries } from "./core/entry.ts";
import { describe } from "./core/history.ts";
import { entriesAfter, fold, quarantined, type RunSource, stateBefore } from "./loading.ts";
import type { GrowthListener } from "./run-hub.ts";
import type { RunServices } from "./run-services.ts";
import { moved } from "./shard-gate.ts";

/** Rows that tell whether a history has grown: the one that held its end, and the next. */
const ROWS_BEHIND = 2;

/** Registers for growth of the history; the returned function takes it back. `seenSeq` answers how far it was read. */
export type GrowthSource = (listener: GrowthListener, seenSeq: () => number) => () => void;

/** Entries from `fromSeq` on, live after the stored ones; ends when the run has ended or `signal` is aborted. @throws RUN_NOT_FOUND, RUN_QUARANTINED */
export async function* watchRun(
  source: RunSource,
  onGrowth: GrowthSource,
  runId: RunId,
  fromSeq: number,
  signal: AbortSignal,
): AsyncGenerator<HistoryEntry> {
  const growth = new Growth(signal);
  let readSeq = 0;
  const unregister = onGrowth(
    () => growth.notify(),
    () => readSeq,
  );
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
      readSeq = seenSeq;
      await growth.next();
    }
  } finally {
    unregister();
    growth.close();
  }
}

/** Resolves when a run of this node has more history than `lastSeq`, or goes to another. Aborting ends the wait. @throws SHARD_MOVED */
export async function growthBeyond({ gate, hub, journal }: RunServices, runId: RunId, lastSeq: number, signal: AbortSignal): Promise<void> {
  if (!gate.serves(runId)) throw moved(runId);
  const growth = new Growth(signal);
  const unregister = hub.onGrowth(runId, () => growth.notify());
  try {
    const row = (await journal.read(runId, lastSeq + 1, ROWS_BEHIND)).at(-1);
    const newestSeq = row === undefined ? 0 : row.firstSeq + decodeEntries(runId, row.firstSeq, row.entries).length - 1;
    if (newestSeq <= lastSeq) await growth.next();
  } finally {
    unregister();
    growth.close();
  }
  if (!gate.serves(runId)) throw moved(runId);
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
