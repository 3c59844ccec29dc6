/**
 * The name of an attempt: the same on every node.
 */
import type { RunId } from "../../runtime/ids.ts";

/** Names an attempt of a run. It begins with the run's id. */
export function attemptIdOf({ runId, frame, attempt }: { readonly runId: RunId; readonly frame: number; readonly attempt: number }): string {
  return `${runId}:${frame}:${attempt}`;
}

/** Names the execution of an attempt that goes on where its run has left: as if its number were negative. */
export function lingeringIdOf(id: string): string {
  const end = id.lastIndexOf(":") + 1;
  return `${id.slice(0, end)}-${id.slice(end)}`;
}
