/**
 * The bounds that users meet, and what to do when one comes near. A refusal says the same too late: these are told of at half of the way.
 */
import { LIMITS } from "./limits.ts";

/** What to do about each. Names are those of {@link LIMITS}; they are labels of a metric. */
export const WATCHED_LIMITS = {
  mailboxLength: "Its sender is faster than it: send less at a time, or spread the work over more runs.",
  pendingReplies:
    "The node answers more slowly than it is asked: look at the commit times, and let clients wait for answers before they ask for more.",
  activeRuns: "More runs are started than end: look at the task queue and the commit times, or start them more slowly.",
  payloadBytes: "Keep large data elsewhere and pass its address on: what exceeds the bound is refused, or fails its task.",
  expressionResultBytes: "Export less into the context: it is copied into the history whenever it changes.",
  historyEntries:
    "Look whether the run is in a loop that has no end. Nothing is refused, but its history takes space for as long as it is kept: have it end, and start the next run.",
  framesPerRun: "Divide the run into several, or let fewer branches run at a time: above the bound tasks fail.",
  bufferedSignals: "Consume the signals, or send fewer: above the bound they are refused.",
  bufferedSignalChars: "Consume the signals, or send smaller ones: above the bound they are refused.",
  undoPerRun: "Compensate groups of tasks (a `do`) instead of each one, or divide the run: above the bound tasks with a compensation fail.",
  undoChars: "Give tasks with a compensation small inputs and outputs: above the bound they fail.",
  documentBytes: "Divide the document into several workflows.",
  laneQueueWrites: "The database commits more slowly than runs write: look at the commit times and at the database's disk.",
  laneQueueBytes: "The database commits more slowly than runs write: look at the commit times, at the size of payloads, and at the database's disk.",
  taskQueueLength: "Tasks come faster than they end: more worker threads, shorter tasks, or fewer starts.",
} as const satisfies Partial<Record<keyof typeof LIMITS, string>>;

/** A bound that is watched. */
export type WatchedLimit = keyof typeof WATCHED_LIMITS;

/**
 * Whether a value is near its bound: above half of it, and from then on until it is below a quarter, so that a value which trembles around the half is
 * told of once.
 */
export function isNear(wasNear: boolean, value: number, bound: number): boolean {
  return value > (wasNear ? bound / 4 : bound / 2);
}

/** The bound of that name. */
export function boundOf(limit: WatchedLimit): number {
  return LIMITS[limit];
}
