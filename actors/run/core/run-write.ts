/**
 * What a turn's facts mean for the journal: one write with the entries, the head if it changed, and the timers. Pure.
 */
import type { NewRun, RunHead, RunTimer, RunWrite } from "../../../runtime/storage/journal.ts";
import type { StartRun } from "../../runs.ts";
import type { Effect } from "./effects.ts";
import { encodeEntries } from "./entry.ts";
import { moveOut } from "./moved-payloads.ts";
import type { RunState } from "./state.ts";
import type { TurnResult } from "./turn.ts";

const NO_TIMERS = { set: [], cleared: [] } as const;

/** What a write needs beside the turn. */
export interface WriteParts {
  /** Undefined: it did not change. */
  readonly head: RunHead | undefined;
  /** On the run's first write: what it was started with. */
  readonly request: StartRun | undefined;
  /** When a snapshot is due. */
  readonly snapshot: Uint8Array | undefined;
}

/** The write of a turn. */
export function writeOf(state: RunState, result: TurnResult, { head, request, snapshot }: WriteParts): RunWrite {
  const { set, cleared } = timersOf(state, result.effects);
  const firstSeq = state.lastSeq - result.entries.length + 1;
  const { entries, payloads } = moveOut(result.entries, firstSeq);
  return {
    runId: state.runId,
    firstSeq,
    entryCount: entries.length,
    entries: encodeEntries(entries),
    ...(payloads.length > 0 && { payloads }),
    ...(request === undefined ? { essential: true } : { create: newRunOf(state, request) }),
    ...(head !== undefined && { head }),
    ...(snapshot !== undefined && { snapshot }),
    ...(set.length > 0 && { timersSet: set }),
    ...(cleared.length > 0 && { timersCleared: cleared }),
  };
}

function newRunOf(state: RunState, request: StartRun): NewRun {
  const { userId, labels, idempotencyKey } = request;
  return { workflowId: state.workflowId, userId, labels, ...(idempotencyKey !== undefined && { idempotencyKey }) };
}

/** Timers that were set and cleared in the same turn never reach the store. */
function timersOf(state: RunState, effects: readonly Effect[]): { readonly set: readonly RunTimer[]; readonly cleared: readonly RunTimer[] } {
  if (!effects.some(isOfTimer)) return NO_TIMERS;
  const set = new Map<number, RunTimer>();
  const cleared: RunTimer[] = [];
  for (const effect of effects) {
    if (!isOfTimer(effect)) continue;
    const timer = { runId: state.runId, timer: effect.timer, dueAtMs: effect.dueAtMs };
    if (effect.kind === "setTimer") set.set(effect.timer, timer);
    else if (!set.delete(effect.timer)) cleared.push(timer);
  }
  return { set: [...set.values()], cleared };
}

function isOfTimer(effect: Effect): effect is Extract<Effect, { kind: "setTimer" | "clearTimer" }> {
  return effect.kind === "setTimer" || effect.kind === "clearTimer";
}
