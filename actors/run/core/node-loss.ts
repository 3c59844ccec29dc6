/**
 * How far an attempt is kept from others after nodes were lost with it. A task may crash the process that executes it, and if that is the node, nobody can
 * say which task it was: all that were under way are suspects. Pure.
 *
 * - A suspect is not executed inside the node again until it has completed. If it crashes, it ends a child process, and is named by that.
 * - Suspects of `LIMITS.nodeLossesTogether` losses may end nodes in another way (by their memory, say). They are executed one at a time, and one with which
 *   the node was lost `LIMITS.nodeLossesIsolated` times even so has failed. The loss of a node never fails a task that was not the only suspect.
 */
import { LIMITS } from "../../../runtime/limits.ts";
import type { Isolation } from "../../../runtime/workers/pool.ts";
import type { Frame, RunState } from "./state.ts";

/** Where the attempt of a frame may be executed. */
export function isolationOf(state: RunState, frame: Frame): Isolation {
  const losses = state.nodeLosses.get(frame.node.id);
  if (losses === undefined) return "tier";
  return losses.count < LIMITS.nodeLossesTogether ? "process" : "alone";
}

/** True if the loss of the node that the run hears of now is one too many for the attempt of a frame. */
export function isGivenUp(state: RunState, frame: Frame): boolean {
  const earlier = state.nodeLosses.get(frame.node.id)?.isolated ?? 0;
  return frame.isIsolated && earlier + 1 >= LIMITS.nodeLossesIsolated;
}
