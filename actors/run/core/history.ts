/**
 * A run's history for people and programs: entries read from the journal, each with the task that it is about. The numbers that the journal
 * stores mean nothing without the frames, so reading folds from the last snapshot before what is asked for.
 */
import type { HistoryEntry } from "../../runs.ts";
import { type Entry, problemFromWire, type RunEvent, statusFromWire, TimerKind } from "./entry.ts";
import { evolve } from "./evolve.ts";
import { movedSizes } from "./moved-payloads.ts";
import { type Frame, pathOf, type RunState } from "./state.ts";

/** Names of the facts, as the outside sees them. Published: they must not change. */
const TYPES: Readonly<Record<RunEvent["$case"], string>> = {
  runStarted: "run.started",
  taskStarted: "task.started",
  loopStarted: "loop.started",
  attemptScheduled: "attempt.scheduled",
  attemptCompleted: "attempt.completed",
  attemptFailed: "attempt.failed",
  attemptInterrupted: "attempt.interrupted",
  attemptIsolated: "attempt.isolated",
  taskCompleted: "task.completed",
  taskFaulted: "task.faulted",
  taskCancelled: "task.cancelled",
  timerSet: "timer.set",
  timerFired: "timer.fired",
  signalReceived: "signal.received",
  signalAwaited: "signal.awaited",
  errorCaught: "error.caught",
  tryRetried: "try.retried",
  cancelRequested: "cancel.requested",
  compensationStarted: "compensation.started",
  runEnded: "run.ended",
};

/** Names of the kinds of timers. Published as well. */
const TIMER_KINDS: Readonly<Record<TimerKind, string>> = {
  [TimerKind.UNSPECIFIED]: "unspecified",
  [TimerKind.WAIT]: "wait",
  [TimerKind.TIMEOUT]: "timeout",
  [TimerKind.RETRY]: "retry",
};

/** Details that are shown as the JSON that they are. */
const JSON_FIELDS = new Set(["input", "output", "request", "payload", "items", "context"]);
/** Facts that have a field of their own, or that mean nothing outside. */
const HIDDEN_FIELDS = new Set(["frame", "node", "parent", "error", "status", "attempt", "timer"]);

/** Folds an entry into the state and answers it as the outside sees it. */
export function describe(state: RunState, entry: Entry): HistoryEntry {
  const event = entry.event as RunEvent;
  const before = frameOf(state, event);
  const path = before === undefined ? "" : pathOf(before);
  evolve(state, entry);
  const frame = before ?? frameOf(state, event);
  const value = event.value as { readonly attempt?: number; readonly error?: Parameters<typeof problemFromWire>[0] };
  return {
    seq: state.lastSeq,
    atMs: state.createdAtMs + entry.offsetMs,
    type: TYPES[event.$case],
    path: frame === undefined ? "" : path === "" ? pathOf(frame) : path,
    task: frame?.node.name ?? "",
    kind: frame?.node.kind ?? "",
    attempt: value.attempt ?? (frame !== undefined && (frame.node.kind === "call" || frame.node.kind === "run") ? frame.attempt : 0),
    details: detailsOf(entry, event, state),
    error: problemFromWire(value.error),
    status: event.$case === "runEnded" ? statusFromWire(event.value.status) : undefined,
  };
}

function frameOf(state: RunState, event: RunEvent): Frame | undefined {
  if (event.$case === "timerFired") return state.timers.get(event.value.timer)?.frame;
  const { frame } = event.value as { readonly frame?: number };
  return frame === undefined ? undefined : state.frames.get(frame);
}

function detailsOf(entry: Entry, event: RunEvent, state: RunState): string {
  const parts: string[] = [];
  const large = movedSizes(entry);
  for (const [name, value] of Object.entries(event.value)) {
    if (HIDDEN_FIELDS.has(name) || value === undefined || value === "" || value === 0 || value === false) continue;
    const bytes = large.get(name);
    if (bytes !== undefined) parts.push(`${JSON.stringify(name)}:{"$large":{"bytes":${bytes}}}`);
    else parts.push(`${JSON.stringify(shownName(name))}:${JSON_FIELDS.has(name) ? String(value) : JSON.stringify(detailOf(name, value, state))}`);
  }
  return `{${parts.join(",")}}`;
}

/** An offset is stored, a time is shown: `dueOffsetMs` is `dueAt` outside. */
function shownName(name: string): string {
  return name.replace(/OffsetMs$/, "At");
}

/** Offsets are shown as the times that they mean, statuses and kinds of timers by name. */
function detailOf(name: string, value: unknown, state: RunState): unknown {
  if (name.endsWith("OffsetMs")) return new Date(state.createdAtMs + Number(value)).toISOString();
  if (name === "kind") return TIMER_KINDS[value as TimerKind];
  return name === "outcome" ? statusFromWire(value as Parameters<typeof statusFromWire>[0]) : value;
}
