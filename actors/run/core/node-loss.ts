/**
 * How far an attempt is kept from others after nodes were lost with it. A task may crash the process that executes it, and if that is the node, nobody can
 * say which task it was: all that were under way are suspects. Pure.
 *
 * - A suspect is not executed inside the node again until it has completed. If it crashes, it ends a child process, and is named by that.
 * - Suspects of a second loss may end nodes in another way (by their memory, say). They are executed by turns, which they store beforehand, so that a loss
 *   counts only against those whose turn it was: `LIMITS.suspectsTogether` at a time, far fewer after each further loss, and in the end nobody beside
 *   them. With `LIMITS.nodeLossesInTurn` losses during its turns an attempt has failed: that many, because a node that is killed again and again by others may
 *   meet the same innocent task often. No loss ever fails a task that was not the only suspect.
 */
import { invariant } from "../../../runtime/assert.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { Isolation } from "../../../runtime/workers/pool.ts";
import type { Frame, RunState } from "./state.ts";

/** Losses from which on a task is executed by turns. */
const LOSSES_BEFORE_TURNS = 2;
/** Each loss during a turn divides the number of those that have theirs at the same time. */
const NARROWING = 8;

invariant(widthAfter(LIMITS.nodeLossesInTurn - 2) === 1, "an attempt is given up after several losses without anybody beside it");

/** Where the attempt of a frame may be executed. */
export function isolationOf(state: RunState, frame: Frame): Isolation {
  return state.nodeLosses.has(frame.node.id) ? "process" : "tier";
}

/** How many suspects may be executed at a time when the attempt of a frame is, itself included; Infinity: it needs no turn. */
export function widthOf(state: RunState, frame: Frame): number {
  const { count, isolated } = state.nodeLosses.get(frame.node.id) ?? { count: 0, isolated: 0 };
  return count < LOSSES_BEFORE_TURNS ? Number.POSITIVE_INFINITY : widthAfter(isolated);
}

/** True if the attempt of a frame only waited for its turn when the node was lost. */
export function hasWaited(state: RunState, frame: Frame): boolean {
  return !frame.isIsolated && widthOf(state, frame) !== Number.POSITIVE_INFINITY;
}

/** True if the loss of the node that the run hears of now is one too many for the attempt of a frame. */
export function isGivenUp(state: RunState, frame: Frame): boolean {
  const earlier = state.nodeLosses.get(frame.node.id)?.isolated ?? 0;
  return frame.isIsolated && earlier + 1 >= LIMITS.nodeLossesInTurn;
}

function widthAfter(losses: number): number {
  return Math.max(1, Math.floor(LIMITS.suspectsTogether / NARROWING ** losses));
}
