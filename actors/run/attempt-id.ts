/**
 * The name of an attempt: the same on every node.
 */
import type { RunId } from "../../runtime/ids.ts";

/** Names an attempt of a run. It begins with the run's id. */
export function attemptIdOf({ runId, frame, attempt }: { readonly runId: RunId; readonly frame: number; readonly attempt: number }): string {
  return `${runId}:${frame}:${attempt}`;
}
