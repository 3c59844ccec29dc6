/**
 * How near one run is to its bounds: looked at with each commit, and told of when a bound comes near. One number of memory for each run.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { LimitBlame, LimitWatch } from "../../runtime/limit-watch.ts";
import type { RunPayload } from "../../runtime/storage/journal.ts";
import { boundOf, isNear, type WatchedLimit } from "../../runtime/watched-limits.ts";
import type { RunState } from "./core/state.ts";

interface WatchedBound {
  readonly limit: WatchedLimit;
  readonly measure: (state: RunState) => number;
}

/** The bounds of a run's state; a bit of {@link RunLimits} for each. */
const BOUNDS: readonly WatchedBound[] = [
  { limit: "framesPerRun", measure: (state) => state.frames.size },
  { limit: "bufferedSignals", measure: (state) => state.signalCount },
  { limit: "bufferedSignalChars", measure: (state) => state.signalChars },
  { limit: "undoPerRun", measure: (state) => state.undo.length + state.undoable },
  { limit: "undoChars", measure: (state) => state.undoChars },
  { limit: "expressionResultBytes", measure: (state) => state.context.text.length },
  { limit: "historyEntries", measure: (state) => state.lastSeq },
];
/** The bit of the history, which never gets shorter. */
const HISTORY = 1 << BOUNDS.findIndex(({ limit }) => limit === "historyEntries");
/** The bit of the run's inbox. */
const INBOX = 1 << BOUNDS.length;

/** The bounds of one run. */
export class RunLimits {
  readonly #watch: LimitWatch;
  readonly #runId: RunId;
  #near = 0;

  constructor(watch: LimitWatch, runId: RunId) {
    this.#watch = watch;
    this.#runId = runId;
  }

  /** The run was read back like this: that its history is long was told of when it became so. */
  noteLoaded({ lastSeq }: RunState): void {
    if (isNear(false, lastSeq, boundOf("historyEntries"))) this.#near |= HISTORY;
  }

  /** So much waits at the run. */
  noteInbox(length: number, state: RunState | undefined): void {
    this.#note(INBOX, "mailboxLength", length, state);
  }

  /** The run is this after a turn, and these are the large payloads of the turn. */
  noteTurn(state: RunState, payloads: readonly RunPayload[]): void {
    for (let index = 0, bit = 1; index < BOUNDS.length; index += 1, bit <<= 1) {
      const { limit, measure } = BOUNDS[index] as WatchedBound;
      this.#note(bit, limit, measure(state), state);
    }
    for (const { bytes } of payloads) this.#watch.measure("payloadBytes", bytes.length, () => this.#blame("a payload", state));
  }

  #note(bit: number, limit: WatchedLimit, value: number, state: RunState | undefined): void {
    const wasNear = (this.#near & bit) !== 0;
    if (isNear(wasNear, value, boundOf(limit)) === wasNear) return;
    this.#near ^= bit;
    if (!wasNear) this.#watch.near(limit, value, this.#blame("a run", state));
  }

  #blame(subject: string, state: RunState | undefined): LimitBlame {
    const workflow = state && `${state.workflow.namespace}/${state.workflow.name}`;
    return { subject, runId: this.#runId, ...(workflow !== undefined && { workflow }) };
  }
}
