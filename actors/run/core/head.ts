/**
 * What the store shows of a run beside its history: its status, and the durable reasons for it to wake up. Pure.
 */
import { type RunHead, WAKE } from "../../../runtime/storage/journal.ts";
import type { CloudEvent, EventLevel } from "../../events/cloud-event.ts";
import type { RunState } from "./state.ts";

/** Longest error message that is kept in the run's row, in characters; the history has the whole. */
const ERROR_MESSAGE_LENGTH = 2_000;

/** The head of a run. `nowMs`: milliseconds since the epoch, for the time at which it ended. */
export function headOf(state: RunState, nowMs: number): RunHead {
  if (state.status === "running") {
    const wake = wakeOf(state);
    return { status: (wake & WAKE.ready) !== 0 ? "running" : "waiting", wake };
  }
  const { error } = state;
  const message = error === undefined ? undefined : (error.detail ?? error.title ?? error.type).slice(0, ERROR_MESSAGE_LENGTH);
  return { status: state.status, wake: 0, endedAtMs: nowMs, ...(message !== undefined && { errorMessage: message }) };
}

/** True if the store need not be told again. */
export function sameHead(a: RunHead | undefined, b: RunHead): boolean {
  return a !== undefined && a.status === b.status && a.wake === b.wake && a.errorMessage === b.errorMessage;
}

/**
 * True if a turn with these events must change the row of its run even if that says the same: whoever looks for events that were not published finds a run by
 * when its row was changed, and at the level of tasks also if it has work ready.
 */
export function isToBeFound({ wake }: RunHead, events: readonly CloudEvent[], level: EventLevel | undefined): boolean {
  return events.length > 0 && (level === "runs" || (wake & WAKE.ready) === 0);
}

/** A run that waits for nothing in particular counts as ready: whoever holds it must push it on. */
function wakeOf(state: RunState): number {
  const timer = state.timers.size > 0 ? WAKE.timer : 0;
  const signal = state.awaiting > 0 ? WAKE.signal : 0;
  const ready = state.inFlight > 0 || state.ready.size > 0 || (timer | signal) === 0;
  return (ready ? WAKE.ready : 0) | timer | signal;
}

/** From how long a wait on a run need not be in memory for it. */
const LONG_WAIT_MS = 60_000;

/** True if a run waits for nothing but a time far off: it leaves memory at once, because a million of them may come one after the other. */
export function isParked(state: RunState | undefined, head: RunHead | undefined, nowMs: number): boolean {
  if (head?.wake !== WAKE.timer || state?.timers.size !== 1) return false;
  const [timer] = state.timers.values();
  return timer !== undefined && timer.dueAtMs > nowMs + LONG_WAIT_MS;
}
