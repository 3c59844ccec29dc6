/**
 * When a run's state is stored beside its history: often enough that loading stays short, and so rarely that it costs little. Entries read at a load are
 * bounded by the pace; a state with many tasks under way is large, and is stored in proportion less often.
 */
import { encodeSnapshot } from "./snapshot.ts";
import type { RunState } from "./state.ts";

/** Entries between two snapshots, at least. */
const ENTRIES_PER_SNAPSHOT = 1_000;
/** Entries between two snapshots for each task under way, at least. */
const ENTRIES_PER_FRAME = 20;

/** The pace of one run. */
export class SnapshotPace {
  #lastSeq = 0;

  /** The run was loaded: it counts from here. */
  begin(state: RunState): void {
    this.#lastSeq = state.lastSeq - (state.lastSeq % ENTRIES_PER_SNAPSHOT);
  }

  /** The encoded state if a snapshot is due. */
  take(state: RunState): Uint8Array | undefined {
    const due = this.#lastSeq + Math.max(ENTRIES_PER_SNAPSHOT, ENTRIES_PER_FRAME * state.frames.size);
    if (state.lastSeq < due || state.status !== "running") return undefined;
    this.#lastSeq = state.lastSeq;
    return encodeSnapshot(state);
  }
}
